import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../services/eventually.ts';
import { requireProgram } from '../services/require-program.ts';
import { Skipped } from './rig.ts';

/** strace attached to a running process: its system calls fail or take long, until it is detached. */
export class Tracer {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /**
   * @param threads `all`, or only the `others` than the main one, as SQLite works on that
   * @param injections in strace's words, for example `fdatasync:error=EIO:when=3+5`; calls are counted by thread
   */
  static async attach(pid: number, threads: 'all' | 'others', ...injections: readonly string[]): Promise<Tracer> {
    const strace = requireProgram('strace');
    if (strace === undefined) throw new Skipped('strace is not installed');
    const calls = injections.map((injection) => injection.split(':')[0]).join(',');
    const others = (await readdir(`/proc/${pid}/task`)).filter((thread) => thread !== String(pid));
    const targets = threads === 'all' ? ['-f', '-p', String(pid)] : others.flatMap((thread) => ['-p', thread]);
    const words = [...targets, '-qq', '-o', '/dev/null', '-e', `trace=${calls}`];
    for (const injection of injections) words.push('-e', `inject=${injection}`);
    const child = spawn(strace, words, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    await eventually('strace is attached', async () => {
      if (child.exitCode !== null) throw new Skipped(`strace cannot attach to a process: ${said.trim()}`);
      return isTraced(pid, threads === 'all' ? [...others, String(pid)] : others);
    });
    return new Tracer(child);
  }

  async detach(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGINT');
    await ended;
  }
}

async function isTraced(pid: number, threads: readonly string[]): Promise<boolean> {
  for (const thread of threads) {
    const status = await readFile(join('/proc', String(pid), 'task', thread, 'status'), 'utf8');
    if (/^TracerPid:\s+0$/m.test(status)) return false;
  }
  return true;
}
