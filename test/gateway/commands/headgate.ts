import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The program, as npm starts it. */
export const ENTRY = join(import.meta.dirname, '..', '..', '..', 'gateway', 'headgate.js');

/** What a command left behind. */
export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command as a user runs it, in a process of its own. */
export class Headgate {
  readonly process: ChildProcess;
  stdout = '';
  stderr = '';
  readonly #ended: Promise<Ended>;

  constructor(args: readonly string[], folder: string) {
    const child = spawn(process.execPath, [ENTRY, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    this.process = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    // A test run that ends early must not leave a gateway behind.
    const endWithUs = () => child.kill('SIGKILL');
    process.once('exit', endWithUs);
    this.#ended = once(child, 'close').then(() => {
      process.off('exit', endWithUs);
      return { code: child.exitCode, stdout: this.stdout, stderr: this.stderr };
    });
  }

  /** Resolves when it has ended by itself. */
  ended(): Promise<Ended> {
    return this.#ended;
  }

  /** Sends a signal and resolves when it has ended. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.process.kill(signal);
    return this.#ended;
  }
}

/** Runs a command to its end. */
export function headgate(args: readonly string[], folder: string = tmpdir()): Promise<Ended> {
  return new Headgate(args, folder).ended();
}

/** A scratch folder for the tests of a file; `remove` it after them. */
export async function scratch(): Promise<{ readonly folder: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-commands-'));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
