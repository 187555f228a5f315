import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../gateway/core/errors.ts';
import type { GatewayStatus } from '../../gateway/core/view.ts';
import { eventually } from './eventually.ts';

const ENTRY = join(import.meta.dirname, '..', '..', 'gateway', 'headgate.js');

/** What the first line of the entry puts into the environment, however the process is started. */
const ENVIRONMENT = Object.fromEntries(
  [
    ...readFileSync(ENTRY, 'utf8')
      .split('\n', 1)[0]!
      .matchAll(/ ([A-Z_]+)=(\S+)/g),
  ].map(([, name, value]) => [name, value]),
);

/** What the process is started through and with, where that is not plain `node gateway/headgate.js run`. */
export interface Launch {
  /** A program with its arguments that becomes the gateway, for example `strace -D …`: the process id must be the gateway's. */
  readonly through?: readonly string[];
  /** More variables of the environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** The real gateway in a process of its own, as a user runs it. */
export class GatewayProcess {
  readonly configFile: string;
  /** `http://127.0.0.1:PORT`. */
  readonly apiUrl: string;
  #child: ChildProcess | undefined;
  /** Everything it has written to its standard output and error. */
  output = '';

  private constructor(configFile: string, apiUrl: string) {
    this.configFile = configFile;
    this.apiUrl = apiUrl;
  }

  /** Starts a gateway on a configuration and waits until it is ready. `apiUrl` is where the configuration lets its API listen. */
  static async start(folder: string, configuration: string, apiUrl: string): Promise<GatewayProcess> {
    const gateway = await GatewayProcess.prepare(folder, configuration, apiUrl);
    await gateway.start();
    return gateway;
  }

  /** The same, not started. */
  static async prepare(folder: string, configuration: string, apiUrl: string): Promise<GatewayProcess> {
    const configFile = join(folder, 'gateway.yaml');
    await writeFile(configFile, configuration);
    return new GatewayProcess(configFile, apiUrl);
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  /** Starts it and waits until it is ready. */
  async start(launch: Launch = {}): Promise<void> {
    this.launch(launch);
    await this.ready();
  }

  /** Starts the process and waits for nothing. */
  launch({ through = [], environment = {} }: Launch = {}): void {
    const [program, ...words] = [...through, process.execPath, ENTRY, 'run', '--config', this.configFile];
    const child = spawn(program!, words, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...ENVIRONMENT, ...environment },
    });
    this.#child = child;
    // A test run that ends early must not leave a gateway behind.
    const endWithUs = () => child.kill('SIGKILL');
    process.once('exit', endWithUs);
    child.once('exit', () => process.off('exit', endWithUs));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output = (this.output + text).slice(-200_000);
      });
    }
  }

  /** Resolves when it is ready; rejects when it ends before, or does not become ready. */
  async ready(): Promise<void> {
    try {
      await eventually(
        'the gateway is ready',
        async () => !this.isRunning || (await fetch(`${this.apiUrl}/readyz`)).ok,
      );
      if (!this.isRunning) throw new Error(`the gateway ended with code ${this.#child?.exitCode}`);
    } catch (error) {
      throw new Error(`${messageOf(error)}; it wrote:\n${this.output}`, { cause: error });
    }
  }

  get isRunning(): boolean {
    const child = this.#child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** Resolves to true when the process ends, to false when it still runs after that time. */
  async endsWithin(timeoutMs: number): Promise<boolean> {
    if (!this.isRunning) return true;
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), timeoutMs);
    try {
      await once(this.#child!, 'exit', { signal: controller.signal });
      return true;
    } catch (error) {
      if (controller.signal.aborted) return false;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends it a signal, without waiting. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** At once, with nothing said or written any more. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** As systemd ends it. Resolves to the exit code. */
  async stop(): Promise<number | null> {
    return this.#end('SIGTERM');
  }

  async status(): Promise<GatewayStatus> {
    return this.get<GatewayStatus>('/api/v1/status');
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.apiUrl}${path}`);
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as T;
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (child === undefined || !this.isRunning) return child?.exitCode ?? null;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
    return child.exitCode;
  }
}
