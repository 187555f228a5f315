import type { DiskCall, FaultyDisk } from '../model/faulty-disk.ts';
import type { SimTime } from './sim-time.ts';
import type { Trace } from './trace.ts';

const DONE = Promise.resolve();

/** What a disk does to those who use it: it takes its time, fails, fills up, stalls, falls short. */
export class DiskWeather {
  readonly #disk: FaultyDisk;
  readonly #time: SimTime;
  readonly #random: () => number;
  #failing:
    | { readonly calls: ReadonlySet<DiskCall>; readonly probability: number; readonly untilMs: number }
    | undefined;
  #stalledUntilMs = 0;
  #shortUntilMs = 0;
  #callsLeft = 0;
  /** There was no room at some time. */
  hasBeenFull = false;
  #onCall: () => void = () => undefined;

  constructor(disk: FaultyDisk, parts: { time: SimTime; random: () => number; trace: Trace }) {
    const { time, random, trace } = parts;
    this.#disk = disk;
    this.#time = time;
    this.#random = random;
    disk.delay = (call, path) => {
      trace.add(`${call} ${path}`);
      if (this.#callsLeft > 0 && --this.#callsLeft === 0) this.#onCall();
      const ms = Math.max(this.#stalledUntilMs - time.nowMs, this.#latencyMs(call));
      return ms > 0 ? time.pause(ms) : DONE;
    };
    disk.fault = (call) => {
      const failing = this.#failing;
      if (failing === undefined || time.nowMs >= failing.untilMs || !failing.calls.has(call)) return undefined;
      return random() < failing.probability ? 'EIO' : undefined;
    };
    disk.takes = (bytes) => (time.nowMs < this.#shortUntilMs ? Math.ceil(random() * bytes) : bytes);
  }

  /** Something may go wrong just now. */
  get isBad(): boolean {
    const { nowMs } = this.#time;
    const failsUntilMs = this.#failing?.untilMs ?? 0;
    return nowMs < Math.max(failsUntilMs, this.#stalledUntilMs) || Number.isFinite(this.#disk.capacity);
  }

  fail(calls: readonly DiskCall[], probability: number, ms: number): void {
    this.#failing = { calls: new Set(calls), probability, untilMs: this.#time.nowMs + ms };
  }

  /** No call fails any more by what `fail` has begun with these. */
  endFailures(calls: readonly DiskCall[]): void {
    if (calls.some((call) => this.#failing?.calls.has(call))) this.#failing = undefined;
  }

  stall(ms: number): void {
    this.#stalledUntilMs = this.#time.nowMs + ms;
  }

  fallShort(ms: number): void {
    this.#shortUntilMs = this.#time.nowMs + ms;
  }

  /** Leaves room for so many bytes, for so long. */
  fill(bytes: number, ms: number): void {
    const used = this.#disk.paths().reduce((sum, path) => sum + this.#disk.content(path).length, 0);
    this.#disk.capacity = used + bytes;
    this.hasBeenFull = true;
    this.#time.after(ms, () => this.#makeRoom());
  }

  /** Does something in the midst of the n-th call from now on, before it has any effect. */
  atCall(n: number, action: () => void): void {
    this.#callsLeft = n;
    this.#onCall = action;
  }

  clear(): void {
    this.#failing = undefined;
    this.#stalledUntilMs = 0;
    this.#shortUntilMs = 0;
    this.#callsLeft = 0;
    this.#makeRoom();
  }

  #makeRoom(): void {
    this.#disk.capacity = Number.POSITIVE_INFINITY;
  }

  #latencyMs(call: DiskCall): number {
    if (call === 'datasync' || call === 'syncDirectory') return 0.5 + this.#random() * 8;
    return this.#random() < 0.95 ? 0 : this.#random() * 3;
  }
}
