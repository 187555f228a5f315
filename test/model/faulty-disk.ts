import { dirname } from 'node:path';
import { type Disk, type DiskFile, errorCode } from '../../gateway/core/disk.ts';
import { GatewayError } from '../../gateway/core/errors.ts';

/** Calls that can be made to fail. */
export type DiskCall =
  | 'open'
  | 'create'
  | 'list'
  | 'rename'
  | 'remove'
  | 'syncDirectory'
  | 'freeBytes'
  | 'size'
  | 'read'
  | 'write'
  | 'truncate'
  | 'datasync'
  | 'close';

const SECTOR = 512;

/** A file with what it looks like now, and what of it would be there after a power cut. */
interface Inode {
  bytes: Buffer;
  durable: Buffer;
  /** Sectors that were written and not yet synced, nor forgotten by a failed sync. */
  readonly dirty: Set<number>;
  lengthIsDirty: boolean;
}

/** A change of a folder that is not durable yet. */
interface FolderChange {
  readonly folders: readonly string[];
  readonly apply: (names: Map<string, Inode>) => void;
}

/**
 * A disk in memory that keeps durable and pending writes apart, fails and falls short on demand, and can lose power or its
 * process at any moment. With equal calls and equal random numbers it behaves equally.
 */
export class FaultyDisk {
  readonly #random: () => number;
  readonly #fork: () => () => number;
  #names = new Map<string, Inode>();
  readonly #durableNames = new Map<string, Inode>();
  #changes: FolderChange[] = [];
  #locks = new Set<string>();
  /** Raised by every crash: what was opened before does not work any more. */
  #life = 0;
  /** All files together take at most so many bytes. */
  capacity = Number.POSITIVE_INFINITY;
  /** Decides for each call whether it fails; the error code to fail with. */
  fault: (call: DiskCall, path: string) => string | undefined = () => undefined;
  /** Pages of files that cannot be read, for ever: whether `[start, end)` touches one. */
  refusesRead: (path: string, start: number, end: number) => boolean = () => false;
  /** Awaited before each call is done: holds the disk up. */
  delay: (call: DiskCall, path: string) => Promise<void> = () => Promise.resolve();
  /** How many of the bytes of one write the disk takes: it may fall short, but takes one at least. */
  takes: (bytes: number) => number = (bytes) => bytes;
  /** How often each call was made. */
  readonly calls = new Map<DiskCall, number>();

  /**
   * @param random uniform in [0, 1): decides what a crash keeps and how short a write falls
   * @param fork gives what decides, sector by sector, what is kept of one file; `random` itself where nothing is said
   */
  constructor(random: () => number, fork: () => () => number = () => random) {
    this.#random = random;
    this.#fork = fork;
  }

  /** The disk as one process sees it, until the process or the power goes: then every call fails. */
  mount(): Disk {
    const life = this.#life;
    const enter = async (call: DiskCall, path: string) => {
      if (life !== this.#life) throw failure('EBADF', call, path);
      await this.#enter(call, path);
    };
    return {
      open: async (path, mode) => {
        await enter(mode === 'create' ? 'create' : 'open', path);
        return this.#open(path, mode);
      },
      list: async (path) => {
        await enter('list', path);
        if (this.#names.has(path)) throw failure('ENOTDIR', 'list', path);
        const folder = path.endsWith('/') ? path : `${path}/`;
        const below = [...this.#names.keys()].filter((name) => name.startsWith(folder));
        return [...new Set(below.map((name) => name.slice(folder.length).split('/')[0]!))];
      },
      makeDirectory: () => Promise.resolve(),
      rename: async (from, to) => {
        await enter('rename', from);
        this.#rename(from, to);
      },
      remove: async (path) => {
        await enter('remove', path);
        this.#inode(path);
        this.#change([path], (names) => names.delete(path));
      },
      syncDirectory: async (path) => {
        await enter('syncDirectory', path);
        this.#syncDirectory(path);
      },
      freeBytes: async (path) => {
        await enter('freeBytes', path);
        return this.#free();
      },
      lock: (path) => this.#lock(path),
    };
  }

  /** The process ends: files stay as they are, open files and locks go. */
  kill(): void {
    this.#life++;
    this.#locks = new Set();
  }

  /** The power fails: of what was not synced a random part stays, sector by sector; of folder changes a random beginning. */
  cutPower(): void {
    this.kill();
    const kept = Math.floor(this.#random() * (this.#changes.length + 1));
    for (const change of this.#changes.slice(0, kept)) change.apply(this.#durableNames);
    this.#changes = [];
    this.#names = new Map(this.#durableNames);
    for (const inode of new Set(this.#names.values())) this.#loseWrites(inode);
  }

  /** Paths of all files. */
  paths(): readonly string[] {
    return [...this.#names.keys()].sort();
  }

  /** Content of a file, to look at. */
  content(path: string): Buffer {
    return Buffer.from(this.#inode(path).bytes);
  }

  /** Damages a file: what is given is its content now, on the medium too; undefined removes it. */
  damage(path: string, content: Uint8Array | undefined): void {
    if (content === undefined) {
      this.#names.delete(path);
      this.#durableNames.delete(path);
      return;
    }
    const inode = newInode();
    inode.bytes = Buffer.from(content);
    inode.durable = Buffer.from(content);
    this.#names.set(path, inode);
    this.#durableNames.set(path, inode);
  }

  #open(path: string, mode: 'read' | 'create' | 'write'): DiskFile {
    if (mode !== 'create') return this.#file(path, this.#inode(path));
    if (this.#names.has(path)) throw failure('EEXIST', 'open', path);
    const inode = newInode();
    this.#change([path], (names) => names.set(path, inode));
    return this.#file(path, inode);
  }

  #rename(from: string, to: string): void {
    const inode = this.#inode(from);
    this.#change([from, to], (names) => {
      names.delete(from);
      names.set(to, inode);
    });
  }

  #syncDirectory(path: string): void {
    // As with a journal: what came before is durable as well.
    const end = this.#changes.findLastIndex((change) => change.folders.includes(path)) + 1;
    for (const change of this.#changes.splice(0, end)) change.apply(this.#durableNames);
  }

  async #lock(path: string): Promise<() => Promise<void>> {
    if (this.#locks.has(path)) throw new GatewayError(`cannot lock ${path}: it is in use`);
    const locks = this.#locks;
    locks.add(path);
    return async () => {
      locks.delete(path);
    };
  }

  #file(path: string, inode: Inode): DiskFile {
    const life = this.#life;
    const enter = async (call: DiskCall) => {
      if (life !== this.#life) throw failure('EBADF', call, path);
      await this.#enter(call, path);
      if (life !== this.#life) throw failure('EBADF', call, path);
    };
    return {
      size: async () => {
        await enter('size');
        return inode.bytes.length;
      },
      read: async (target, position) => {
        await enter('read');
        if (this.refusesRead(path, position, Math.min(position + target.length, inode.bytes.length))) {
          throw failure('EIO', 'read', path);
        }
        return inode.bytes.copy(target, 0, position);
      },
      write: async (source, position) => {
        await enter('write');
        const room = this.#free() + Math.max(0, inode.bytes.length - position);
        if (source.length > 0 && room <= 0) throw failure('ENOSPC', 'write', path);
        const taken = Math.min(this.takes(source.length), room);
        this.#write(inode, source.subarray(0, taken), position);
        return taken;
      },
      truncate: async (bytes) => {
        await enter('truncate');
        resize(inode, bytes);
      },
      datasync: async () => {
        await this.#datasync(inode, enter);
      },
      close: () => enter('close'),
    };
  }

  async #datasync(inode: Inode, enter: (call: DiskCall) => Promise<void>): Promise<void> {
    try {
      await enter('datasync');
    } catch (error) {
      // Of a process that has ended nothing fails: the next one must not lose what it has written since.
      if (errorCode(error) === 'EBADF') throw error;
      // As Linux does: what could not be written is forgotten, and a later sync says that all is well.
      this.#keepSome(inode);
      inode.dirty.clear();
      inode.lengthIsDirty = false;
      throw error;
    }
    if (inode.lengthIsDirty) inode.durable = resized(inode.durable, inode.bytes.length);
    for (const sector of inode.dirty) keepSector(inode, sector);
    inode.dirty.clear();
    inode.lengthIsDirty = false;
  }

  #write(inode: Inode, source: Uint8Array, position: number): void {
    if (position + source.length > inode.bytes.length) resize(inode, position + source.length);
    inode.bytes.set(source, position);
    for (let at = position - (position % SECTOR); at < position + source.length; at += SECTOR) inode.dirty.add(at);
  }

  #keepSome(inode: Inode): void {
    const random = this.#fork();
    if (inode.lengthIsDirty && random() < 0.7) inode.durable = resized(inode.durable, inode.bytes.length);
    for (const sector of inode.dirty) if (random() < 0.5) keepSector(inode, sector);
  }

  #loseWrites(inode: Inode): void {
    this.#keepSome(inode);
    inode.bytes = Buffer.from(inode.durable);
    inode.dirty.clear();
    inode.lengthIsDirty = false;
  }

  async #enter(call: DiskCall, path: string): Promise<void> {
    const life = this.#life;
    this.calls.set(call, (this.calls.get(call) ?? 0) + 1);
    await this.delay(call, path);
    if (life !== this.#life) throw failure('EBADF', call, path);
    const code = this.fault(call, path);
    if (code !== undefined) throw failure(code, call, path);
  }

  #inode(path: string): Inode {
    const inode = this.#names.get(path);
    if (inode === undefined) throw failure('ENOENT', 'open', path);
    return inode;
  }

  #change(paths: readonly string[], apply: FolderChange['apply']): void {
    apply(this.#names);
    this.#changes.push({ folders: paths.map((path) => dirname(path)), apply });
  }

  #free(): number {
    let used = 0;
    for (const inode of this.#names.values()) used += inode.bytes.length;
    return Math.max(0, this.capacity - used);
  }
}

function newInode(): Inode {
  return { bytes: Buffer.alloc(0), durable: Buffer.alloc(0), dirty: new Set(), lengthIsDirty: false };
}

function resize(inode: Inode, bytes: number): void {
  inode.bytes = resized(inode.bytes, bytes);
  inode.lengthIsDirty = true;
}

function resized(bytes: Buffer, length: number): Buffer {
  if (length <= bytes.length) return Buffer.from(bytes.subarray(0, length));
  return Buffer.concat([bytes, Buffer.alloc(length - bytes.length)]);
}

/** Takes a sector over to the medium, as far as the file reaches there. */
function keepSector(inode: Inode, sector: number): void {
  const end = Math.min(sector + SECTOR, inode.bytes.length, inode.durable.length);
  if (sector < end) inode.bytes.copy(inode.durable, sector, sector, end);
}

function failure(code: string, call: string, path: string): Error {
  return Object.assign(new Error(`${code}: made to fail, ${call} '${path}'`), { code });
}

/** Mulberry32: a small, fast generator for tests; equal seeds give equal numbers. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
