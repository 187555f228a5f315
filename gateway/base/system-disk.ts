import {
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  statfs,
  symlink,
  unlink,
} from 'node:fs/promises';
import { type Disk, type DiskFile, errorCode } from '../core/disk.ts';
import { GatewayError } from '../core/errors.ts';

/** The disk of the machine, through node:fs. */
export const systemDisk: Disk = {
  open: async (path, mode) => new SystemFile(await open(path, FLAGS[mode], 0o600)),
  list: (path) => readdir(path),
  makeDirectory: async (path) => {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  rename,
  remove: unlink,
  syncDirectory,
  freeBytes: async (path) => {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  },
  lock,
};

const FLAGS = { read: 'r', create: 'wx+', write: 'r+' } as const;

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

class SystemFile implements DiskFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    let read = 0;
    while (read < target.length) {
      const { bytesRead } = await this.#handle.read(target, read, target.length - read, position + read);
      if (bytesRead === 0) break;
      read += bytesRead;
    }
    return read;
  }

  async write(source: Uint8Array, position: number): Promise<number> {
    return (await this.#handle.write(source, 0, source.length, position)).bytesWritten;
  }

  truncate(bytes: number): Promise<void> {
    return this.#handle.truncate(bytes);
  }

  datasync(): Promise<void> {
    return this.#handle.datasync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/**
 * The lock is a symbolic link whose target names its holder: made atomically together with its content, and without a data
 * block, so that it can be taken on a full disk. The holder is its pid, its start time and the boot it belongs to, since pids come
 * again after a reboot (in a container even the same one). Processes in other pid namespaces are not seen.
 */
async function lock(path: string): Promise<() => Promise<void>> {
  const self = await describeProcess('self');
  if (self === undefined) throw new GatewayError(`cannot lock ${path}: /proc does not tell about this process`);
  // Each round either takes the lock, finds a living holder, or clears a dead one: a handful is enough even when others race.
  for (let round = 0; round < 10; round++) {
    try {
      await symlink(self, path);
      return () => release(path, self);
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
    const holder = await readHolder(path);
    if (holder === undefined) continue;
    const pid = /^(\d+)@/.exec(holder)?.[1];
    if (pid !== undefined && (await describeProcess(pid)) === holder) {
      throw new GatewayError(`cannot lock ${path}: process ${pid} is using it`, {
        hint: `stop process ${pid} first, or give this gateway a storage path of its own`,
      });
    }
    await clear(path, holder);
  }
  throw new GatewayError(`cannot lock ${path}: other processes keep taking it`, {
    hint: 'start only one gateway on a storage path',
  });
}

/** Removes the lock of a dead holder, and puts it back if a living process has just taken it over. */
async function clear(path: string, holder: string): Promise<void> {
  const aside = `${path}.${process.pid}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  if ((await readHolder(aside)) === holder) await unlink(aside);
  else await rename(aside, path);
}

async function release(path: string, self: string): Promise<void> {
  if ((await readHolder(path)) === self) await unlink(path);
}

async function readHolder(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    // Something else bears the name: no process of ours holds it.
    if (errorCode(error) === 'EINVAL') return '';
    throw error;
  }
}

/** `pid@start-time@boot-id` of a living process, undefined when there is none. Source: proc(5), field 22 of stat. */
async function describeProcess(pid: string): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'latin1');
    // The command name, in brackets, may itself contain spaces and brackets.
    const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${stat.slice(0, stat.indexOf(' '))}@${startTime}@${boot.trim()}`;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}
