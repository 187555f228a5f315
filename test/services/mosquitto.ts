import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';

/** A real mosquitto broker on a loopback port, in a scratch folder. Its port stays the same when it is stopped and started. */
export class Mosquitto {
  readonly port: number;
  readonly #program: string;
  readonly #folder: string;
  readonly #settings: readonly string[];
  #process: ChildProcess | undefined;
  #output = '';

  private constructor(program: string, port: number, folder: string, settings: readonly string[]) {
    this.#program = program;
    this.port = port;
    this.#folder = folder;
    this.#settings = settings;
  }

  /**
   * Starts one; `program` as `requireProgram('mosquitto')` found it. Sessions outlive `stop` and `start`.
   *
   * @param settings lines of its configuration that say who may do what
   */
  static async create(program: string, settings: readonly string[] = ['allow_anonymous true']): Promise<Mosquitto> {
    const folder = await mkdtemp(join(tmpdir(), 'headgate-mosquitto-'));
    const mosquitto = new Mosquitto(program, await freePort(), folder, settings);
    await mosquitto.start();
    return mosquitto;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const file = join(this.#folder, 'mosquitto.conf');
    await writeFile(
      file,
      [
        `listener ${this.port} 127.0.0.1`,
        ...this.#settings,
        'persistence true',
        `persistence_location ${this.#folder}/`,
        'max_queued_messages 100000',
      ].join('\n'),
    );
    const child = spawn(this.#program, ['-c', file], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data: Buffer) => {
        this.#output += data.toString();
      });
    }
    await eventually('mosquitto to listen', () => {
      if (child.exitCode !== null) throw new Error(`mosquitto ended: ${this.#output}`);
      return accepts(this.port);
    });
  }

  /** Stops it; its sessions are written to the scratch folder. */
  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

const run = promisify(execFile);

/** Publishes with `mosquitto_pub`, each line of `lines` a message; resolves when it has its acknowledgements. */
export async function mosquittoPub(
  program: string,
  port: number,
  topic: string,
  lines: readonly string[],
  options: readonly string[] = [],
): Promise<void> {
  const promise = run(program, ['-h', '127.0.0.1', '-p', String(port), '-t', topic, '-l', ...options], {
    timeout: 20_000,
  });
  promise.child.stdin?.end(lines.map((line) => `${line}\n`).join(''));
  await promise;
}

export interface Subscriber {
  readonly subscribed: Promise<void>;
  readonly messages: Promise<readonly string[]>;
  /** Ends it without a DISCONNECT. */
  kill(): void;
}

/** Subscribes with `mosquitto_sub`; resolves with `count` messages as `topic payload`. */
export function mosquittoSub(
  program: string,
  port: number,
  topic: string,
  count: number,
  options: readonly string[] = [],
): Subscriber {
  const base = ['-h', '127.0.0.1', '-p', String(port), '-t', topic, '-v', '-C', String(count), '-W', '20', '-d'];
  // Line by line: into a pipe it would else say that it has subscribed only when it ends.
  const child = spawn('stdbuf', ['-oL', program, ...base, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  let subscribed: () => void = () => undefined;
  const lines = () => output.split('\n').filter((line) => line !== '' && !/^(Client|Subscribed)/.test(line));
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString();
    if (output.includes('Subscribed (mid')) subscribed();
  });
  return {
    subscribed: new Promise((resolve) => {
      subscribed = resolve;
    }),
    messages: new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', () => resolve(lines()));
    }),
    kill: () => child.kill('SIGKILL'),
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
