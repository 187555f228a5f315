import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GatewayStatus } from '../../gateway/core/view.ts';
import { eventually } from './eventually.ts';

const ENTRY = join(import.meta.dirname, '..', '..', 'gateway', 'headgate.js');

/** The real gateway in a process of its own, as a user runs it. */
export class GatewayProcess {
  readonly #configFile: string;
  /** `http://127.0.0.1:PORT`. */
  readonly apiUrl: string;
  #child: ChildProcess | undefined;
  /** Everything it has written to its standard output and error. */
  output = '';

  private constructor(configFile: string, apiUrl: string) {
    this.#configFile = configFile;
    this.apiUrl = apiUrl;
  }

  /** Starts a gateway on a configuration and waits until it is ready. `apiUrl` is where the configuration lets its API listen. */
  static async start(folder: string, configuration: string, apiUrl: string): Promise<GatewayProcess> {
    const configFile = join(folder, 'gateway.yaml');
    await writeFile(configFile, configuration);
    const gateway = new GatewayProcess(configFile, apiUrl);
    await gateway.start();
    return gateway;
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, [ENTRY, 'run', '--config', this.#configFile], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output = (this.output + text).slice(-200_000);
      });
    }
    await eventually(`the gateway is ready\n${this.output}`, async () => {
      if (child.exitCode !== null) throw new Error(`the gateway ended with code ${child.exitCode}:\n${this.output}`);
      return (await fetch(`${this.apiUrl}/readyz`)).ok;
    });
  }

  /** As a power cut ends it: at once, with nothing flushed. */
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
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
    return child.exitCode;
  }
}
