/**
 * The file operations of everything that must survive a crash. They are an argument, so that a simulated disk can lose power,
 * fail and fall short in tests. Errors are those of node:fs (`code` says which: `ENOENT`, `ENOSPC`, `EIO` …).
 *
 * Nothing is durable before it was synced: bytes and length of a file by `datasync`, creations, renames and removals by
 * `syncDirectory` of the folder they happened in.
 */
export interface Disk {
  /**
   * Opens a file. `read`: it must exist. `create`: it must not exist, and can be read and written. `write`: it must exist, and can be
   * read and written.
   */
  open(path: string, mode: 'read' | 'create' | 'write'): Promise<DiskFile>;
  /** Names in a folder, in no certain order. */
  list(path: string): Promise<readonly string[]>;
  /** Makes a folder and those above it; fine when it is there. */
  makeDirectory(path: string): Promise<void>;
  /** Renames a file, atomically replacing one of the new name. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file. */
  remove(path: string): Promise<void>;
  /** Makes creations, renames and removals in a folder durable. */
  syncDirectory(path: string): Promise<void>;
  /** Bytes that may still be written to the file system of this folder. */
  freeBytes(path: string): Promise<number>;
  /**
   * Takes the lock of this path until the returned function is called or the process ends. A `GatewayError` when a living process
   * has it; the lock of a dead process is taken over.
   */
  lock(path: string): Promise<() => Promise<void>>;
}

/** An open file. */
export interface DiskFile {
  /** Present length in bytes. */
  size(): Promise<number>;
  /** Reads into the whole of `target` from a position; returns how many bytes there were, fewer only at the end of the file. */
  read(target: Uint8Array, position: number): Promise<number>;
  /** Writes `source` at a position; returns how many bytes were taken, which may be fewer. */
  write(source: Uint8Array, position: number): Promise<number>;
  /** Cuts or extends the file. */
  truncate(bytes: number): Promise<void>;
  /** Makes content and length durable. After it failed nothing is known about what was written since it last succeeded. */
  datasync(): Promise<void>;
  close(): Promise<void>;
}

/** Writes all of `source`, however often the disk falls short. */
export async function writeFully(file: DiskFile, source: Uint8Array, position: number): Promise<void> {
  let written = await file.write(source, position);
  while (written < source.length) {
    const more = await file.write(source.subarray(written), position + written);
    if (more === 0) throw new Error(`the disk took ${written} of ${source.length} bytes and no more`);
    written += more;
  }
}

/** True for errors that say that there is no room: no space, quota used up, file size limit. */
export function isNoSpace(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG';
}

/** The `code` of a file system error, undefined for anything else. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
