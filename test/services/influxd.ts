import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { requireProgram } from './require-program.ts';

export interface InfluxdOptions {
  /** Requires a user for everything, and creates this administrator. @default no authentication */
  readonly admin?: { readonly user: string; readonly password: string };
  /** More lines for the `[http]` section of the configuration, for example `max-body-size = 1000`. */
  readonly http?: readonly string[];
}

/** One series of an answer, as the server gave it. */
export interface InfluxdSeries {
  readonly name?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly values: readonly (readonly unknown[])[];
}

/** A real influxd of its own, on scratch folders and loopback. */
export interface Influxd {
  /** `http://127.0.0.1:PORT`, the same after every restart. */
  readonly url: string;
  /** Starts it again on the same data, after `stop` or `kill`; resolves when it answers. */
  start(): Promise<void>;
  /** Ends it by SIGTERM, and by SIGKILL where that takes more than ten seconds. The data stay. */
  stop(): Promise<void>;
  /** Ends it by SIGKILL. The data stay. */
  kill(): Promise<void>;
  /** Stops it and removes its data. */
  remove(): Promise<void>;
  /** Runs InfluxQL without any code of the gateway; throws the server's error. Times come in ms. */
  query(database: string, influxql: string): Promise<readonly InfluxdSeries[]>;
  /** The rows of a query as objects: tags and columns by name. */
  rows(database: string, influxql: string): Promise<readonly Record<string, unknown>[]>;
  /** Writes line protocol as it is, with times in ms; for making trouble. */
  write(database: string, lines: string): Promise<void>;
}

/** Starts an influxd, or gives undefined, with the reason printed, where it is not installed. */
export async function startInfluxd(options: InfluxdOptions = {}): Promise<Influxd | undefined> {
  const program = requireProgram('influxd');
  if (program === undefined) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'headgate-influxd-'));
  for (let attempt = 1; ; attempt++) {
    const server = new Server(program, folder, await freePort(), await freePort(), options);
    try {
      await server.start();
      if (options.admin !== undefined) await server.createAdmin(options.admin);
      return server;
    } catch (error) {
      // Somebody may have taken a port between the look and the start: two more tries.
      await server.stop();
      if (attempt < 3) continue;
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }
}

class Server implements Influxd {
  readonly url: string;
  readonly #program: string;
  readonly #folder: string;
  readonly #port: number;
  readonly #rpcPort: number;
  readonly #options: InfluxdOptions;
  #authorization: Record<string, string> = {};
  #process: ChildProcess | undefined;

  constructor(program: string, folder: string, port: number, rpcPort: number, options: InfluxdOptions) {
    this.url = `http://127.0.0.1:${port}`;
    this.#program = program;
    this.#folder = folder;
    this.#port = port;
    this.#rpcPort = rpcPort;
    this.#options = options;
  }

  async start(): Promise<void> {
    if (this.#process !== undefined) return;
    const config = join(this.#folder, 'influxdb.conf');
    await writeFile(config, this.#config());
    const log = openSync(join(this.#folder, 'log'), 'w');
    const child = spawn(this.#program, ['-config', config], { stdio: ['ignore', log, log] });
    closeSync(log);
    this.#process = child;
    // A test run that ends early must not leave a server behind.
    const endWithUs = () => child.kill('SIGKILL');
    process.once('exit', endWithUs);
    child.once('exit', () => process.off('exit', endWithUs));
    const deadline = performance.now() + 20_000;
    while (!(await this.#answers())) {
      const ended = child.exitCode !== null || child.signalCode !== null;
      if (ended || performance.now() > deadline) {
        const lines = await readFile(join(this.#folder, 'log'), 'utf8');
        throw new Error(`influxd ${ended ? 'ended at its start' : 'does not answer'}:\n${lines.slice(-2000)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async createAdmin({ user, password }: { user: string; password: string }): Promise<void> {
    await this.query(
      '',
      `CREATE USER "${user}" WITH PASSWORD '${password.replace(/['\\]/g, '\\$&')}' WITH ALL PRIVILEGES`,
    );
    this.#authorization = { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
  }

  async query(database: string, influxql: string): Promise<readonly InfluxdSeries[]> {
    const response = await fetch(`${this.url}/query?${new URLSearchParams({ db: database, epoch: 'ms' })}`, {
      method: 'POST',
      headers: this.#authorization,
      body: new URLSearchParams({ q: influxql }),
    });
    const answer = (await response.json()) as {
      error?: string;
      results?: { error?: string; series?: InfluxdSeries[] }[];
    };
    const error = answer.error ?? answer.results?.find((result) => result.error !== undefined)?.error;
    if (error !== undefined) throw new Error(`${error}: ${influxql}`);
    return (answer.results ?? []).flatMap((result) => result.series ?? []);
  }

  async rows(database: string, influxql: string): Promise<readonly Record<string, unknown>[]> {
    const series = await this.query(database, influxql);
    return series.flatMap(({ tags, columns, values }) =>
      values.map((row) => ({ ...tags, ...Object.fromEntries(columns.map((column, i) => [column, row[i]])) })),
    );
  }

  async write(database: string, lines: string): Promise<void> {
    const response = await fetch(`${this.url}/write?${new URLSearchParams({ db: database, precision: 'ms' })}`, {
      method: 'POST',
      headers: this.#authorization,
      body: lines,
    });
    const text = await response.text();
    if (response.status !== 204) throw new Error(`influxd answered ${response.status}: ${text}`);
  }

  async #answers(): Promise<boolean> {
    try {
      const response = await fetch(`${this.url}/ping`, { signal: AbortSignal.timeout(1000) });
      await response.arrayBuffer();
      return response.status === 204;
    } catch {
      return false; // not listening yet
    }
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    const impatience = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await exit;
    clearTimeout(impatience);
  }

  #config(): string {
    const at = (name: string) => JSON.stringify(join(this.#folder, name));
    return [
      'reporting-disabled = true',
      `bind-address = "127.0.0.1:${this.#rpcPort}"`,
      `[meta]\ndir = ${at('meta')}`,
      `[data]\ndir = ${at('data')}\nwal-dir = ${at('wal')}\nquery-log-enabled = false`,
      '[monitor]\nstore-enabled = false',
      '[subscriber]\nenabled = false',
      '[continuous_queries]\nenabled = false',
      `[http]\nbind-address = "127.0.0.1:${this.#port}"\nlog-enabled = false`,
      `auth-enabled = ${this.#options.admin !== undefined}`,
      ...(this.#options.http ?? []),
      '',
    ].join('\n');
  }
}
