import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** What is published, and how fast. */
export interface PublishingOptions {
  readonly port: number;
  /** Devices `steady-0`, `steady-1` …, each with a connection of its own. @default 4 */
  readonly devices?: number;
  /** What stands before the number in their names. @default 'steady' */
  readonly prefix?: string;
  /** Unacknowledged readings of a device at the most. @default 50 */
  readonly inFlight?: number;
  /** Source time of reading 0. @default T0 */
  readonly t0?: number;
  /** Source time from a reading to the next, in milliseconds. @default 10 */
  readonly stepMs?: number;
  /** Readings of a device, or of each of the devices, after which it ends by itself. @default no end */
  readonly count?: number | readonly number[];
  /** Readings a second of all devices together; 0 is as fast as they are acknowledged. @default 0 */
  readonly perSecond?: number;
  /** Bytes that each payload is made longer by. @default 0 */
  readonly padding?: number;
  /** One reading in so many is of the metric `poison` in place of `seq`; 0 is none. @default 0 */
  readonly poisonEvery?: number;
  /** Values go round: each is `seq` modulo this; 0 is `seq` itself. @default 0 */
  readonly modulo?: number;
  /** Where a publisher before it, or a copy of it, had stopped. */
  readonly resume?: readonly SentByDevice[];
}

/** Source time of the first reading: in the past, so that nothing depends on when the test runs. */
export const T0 = Date.UTC(2026, 0, 5, 6);

/** What a device has sent: `seq` 0 to `sent` − 1, of which all but the unacknowledged are acknowledged. */
export interface SentByDevice {
  readonly name: string;
  readonly sent: number;
  readonly unacknowledged: readonly number[];
  readonly connections: number;
}

/** The publisher's ledger at one moment. */
export interface PublisherReport {
  readonly devices: readonly SentByDevice[];
  /** Since it was started. */
  readonly seconds: number;
  /** Quantiles of the time from sending a reading first to its acknowledgement. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** How many readings of a report are acknowledged. */
export function acknowledgedIn({ devices }: PublisherReport): number {
  return devices.reduce((sum, { sent, unacknowledged }) => sum + sent - unacknowledged.length, 0);
}

/**
 * The publisher in a process of its own, which no fault of a rig touches. Its ledger lies in its memory: it outlives the gateway, and a rig
 * that loses it has no result.
 */
export class Publisher {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #reports: PublisherReport[] = [];
  #accepted = 0;
  #isClosed = false;
  #wake: () => void = () => undefined;

  constructor(options: PublishingOptions) {
    const settings = {
      devices: 4,
      prefix: 'steady',
      inFlight: 50,
      t0: T0,
      stepMs: 10,
      count: Number.MAX_SAFE_INTEGER,
      perSecond: 0,
      padding: 0,
      poisonEvery: 0,
      modulo: 0,
      ...options,
    };
    const program = join(import.meta.dirname, 'publish-steadily.ts');
    this.#child = spawn(process.execPath, [program, JSON.stringify(settings)], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#ended = once(this.#child, 'close');
    // A rig that ends early must not leave a publisher behind.
    const endWithUs = () => this.#child.kill('SIGKILL');
    process.once('exit', endWithUs);
    this.#child.once('close', () => {
      process.off('exit', endWithUs);
      this.#isClosed = true;
      this.#wake();
    });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#take(line));
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Whether the first acknowledgement after a loss of all connections is yet to come is known from this count: it grows by one with each. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Resolves when the gateway has acknowledged something over connections that are newer than count `than`. */
  async acceptedAgain(than: number, timeoutMs = 30_000): Promise<void> {
    await this.#until(() => this.#accepted > than, 'the gateway acknowledges again', timeoutMs);
  }

  /** The ledger of this moment. */
  async report(): Promise<PublisherReport> {
    const before = this.#reports.length;
    this.#child.stdin!.write('report\n');
    await this.#until(() => this.#reports.length > before, 'the publisher reports', 10_000);
    return this.#reports.at(-1)!;
  }

  /** Publishes no more; resolves to the ledger when everything is acknowledged. */
  async end(timeoutMs = 60_000): Promise<PublisherReport> {
    if (!this.#isClosed) this.#child.stdin!.end('end\n');
    return this.finished(timeoutMs);
  }

  /** Resolves to the ledger when it has ended, as it does by itself after `count` readings. */
  async finished(timeoutMs = 60_000): Promise<PublisherReport> {
    await this.#until(() => this.#isClosed, 'everything is acknowledged', timeoutMs);
    const last = this.#reports.at(-1);
    if (this.#child.exitCode !== 0 || last === undefined) throw new Error('the publisher failed: see above');
    return last;
  }

  async kill(): Promise<void> {
    if (this.#isClosed) return;
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  #take(line: string): void {
    const told = JSON.parse(line) as PublisherReport | { readonly accepting: true };
    if ('accepting' in told) this.#accepted++;
    else this.#reports.push(told);
    this.#wake();
  }

  async #until(condition: () => boolean, what: string, timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!condition()) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new Error(`Not within ${timeoutMs} ms: ${what}`);
      if (this.#isClosed && this.#child.exitCode !== 0) throw new Error('the publisher failed: see above');
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
