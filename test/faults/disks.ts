import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../../gateway/core/errors.ts';
import { requireProgram } from '../services/require-program.ts';
import { Skipped } from './rig.ts';

const run = promisify(execFile);

/** Disks made for a rig, each with a file system that can be taken away again. Needs root; close it, whatever happened. */
export class Disks {
  readonly #folder: string;
  readonly #mounted: string[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(): Promise<Disks> {
    return new Disks(await mkdtemp(join(tmpdir(), 'headgate-disks-')));
  }

  /** A disk in memory, of so many bytes. */
  async small(name: string, bytes: number): Promise<string> {
    return this.#mount(name, ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs']);
  }

  /** An xfs whose files can be copied in an instant, by reference. */
  async withReflinks(name: string, size: string): Promise<string> {
    const image = await this.#image(`${name}.xfs`, size);
    await run(this.#program('mkfs.xfs'), ['-q', '-m', 'reflink=1', image]);
    return this.#mount(name, ['-o', 'loop', image]);
  }

  /** Makes an ext4 in the file `image`, as it is on most boxes. */
  async makeExt4(image: string, size: string): Promise<void> {
    await run('truncate', ['-s', size, image]);
    // Blocks of 4 KiB, as on any disk of more than half a gigabyte: what the file system notes is counted in blocks.
    await run(this.#program('mkfs.ext4'), ['-q', '-F', '-b', '4096', image]);
  }

  /** Mounts the file system in a file, after its own recovery. */
  async mountImage(name: string, image: string): Promise<string> {
    return this.#mount(name, ['-o', 'loop', image]);
  }

  /** An ext4 on a block device of its own, whose name below `/sys/block` is told. */
  async device(name: string, size: string): Promise<{ readonly path: string; readonly device: string }> {
    const image = join(this.#folder, `${name}.ext4`);
    await this.makeExt4(image, size);
    const path = await this.mountImage(name, image);
    const { stdout } = await run('findmnt', ['-n', '-o', 'SOURCE', path]);
    return { path, device: basename(stdout.trim()) };
  }

  async unmount(path: string): Promise<void> {
    await run('umount', [path]);
    this.#mounted.splice(this.#mounted.indexOf(path), 1);
  }

  async close(): Promise<void> {
    for (const path of this.#mounted.toReversed()) await run('umount', ['-l', path]);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #image(name: string, size: string): Promise<string> {
    const image = join(this.#folder, name);
    await run('truncate', ['-s', size, image]);
    return image;
  }

  async #mount(name: string, words: readonly string[]): Promise<string> {
    const path = join(this.#folder, name);
    await mkdir(path, { recursive: true });
    try {
      await run('mount', [...words, path]);
    } catch (error) {
      throw new Skipped(`cannot mount a disk (${messageOf(error).trim().split('\n').at(-1)})`);
    }
    this.#mounted.push(path);
    return path;
  }

  #program(name: string): string {
    const path = requireProgram(name);
    if (path === undefined) throw new Skipped(`${name} is not installed`);
    return path;
  }
}
