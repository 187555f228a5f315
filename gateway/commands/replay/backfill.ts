import { backoffMs } from '../../base/backoff.ts';
import type { FedSink } from '../../catalog/sinks.ts';
import type { Clock } from '../../core/clock.ts';
import { GatewayError, messageOf } from '../../core/errors.ts';
import { type Result, resultId } from '../../core/result.ts';
import { type Rejection, type Sink, SinkError } from '../../core/sink.ts';
import { count } from '../count.ts';

/** A sink that takes nothing for so long is given up: somebody may wait for the end of the command. */
const MAX_OUTAGE_MS = 10 * 60_000;
/** Refused results that are named one by one; of the others only the number is told. */
const MAX_NAMED_REFUSALS = 10;

/** What a backfill works with. */
export interface BackfillParts {
  readonly clock: Clock;
  /** Uniform in [0, 1), for the jitter of retries. */
  readonly random: () => number;
  /** Tells a person something, as a line. */
  readonly tell: (line: string) => void;
  /** Ends waits and requests. */
  readonly signal: AbortSignal;
}

/**
 * Writes results to one sink, in order and in batches, one at a time, while the next are made. A sink that is away is waited for; what it
 * refuses for ever is counted and told. Everything that is written takes the place of itself, so a backfill that has failed is begun again.
 */
export class Backfill {
  readonly #sink: Sink;
  readonly #parts: BackfillParts;
  readonly #maxItems: number;
  #batchItems: number;
  #pending: Result[] = [];
  /** The batch that is on its way; resolves with why it cannot be written. */
  #sending: Promise<Error | undefined> = Promise.resolve(undefined);
  readonly #refusals: string[] = [];
  #stored = 0;
  #refused = 0;
  #filtered = 0;

  constructor({ sink, options }: FedSink, parts: BackfillParts) {
    this.#sink = sink;
    this.#parts = parts;
    this.#maxItems = options.maxItems;
    this.#batchItems = options.maxItems;
  }

  /** Results that the sink has stored. */
  get stored(): number {
    return this.#stored;
  }

  /** Results that it refuses for ever. */
  get refused(): number {
    return this.#refused;
  }

  async start(): Promise<void> {
    await this.#sink.start(this.#parts.signal);
  }

  async stop(): Promise<void> {
    await this.#sink.stop(this.#parts.signal);
  }

  /**
   * Takes further results. Resolves when there is room for more.
   * @throws GatewayError when the sink cannot be written to
   */
  async write(results: readonly Result[]): Promise<void> {
    for (const result of results) {
      if (this.#sink.stores?.(result) === false) this.#filtered++;
      else this.#pending.push(result);
    }
    while (this.#pending.length >= this.#maxItems && !this.#parts.signal.aborted) await this.#sendNext();
  }

  /** Writes what is left. Throws as `write` does. */
  async finish(): Promise<void> {
    while (this.#pending.length > 0 && !this.#parts.signal.aborted) await this.#sendNext();
    await this.#sent();
  }

  /** What became of the results, and the first refusals, for a person. */
  summary(): string {
    const filtered = this.#filtered === 0 ? '' : `, ${this.#filtered} that it does not store`;
    const counts = `${this.#sink.name}: ${count(this.#stored, 'result')} stored, ${this.#refused} refused${filtered}`;
    const unnamed = this.#refused - this.#refusals.length;
    return [counts, ...this.#refusals, ...(unnamed > 0 ? [`and ${unnamed} more`] : [])].join('\n');
  }

  async #sendNext(): Promise<void> {
    await this.#sent();
    this.#sending = this.#send(this.#pending.splice(0, this.#maxItems));
  }

  async #sent(): Promise<void> {
    const failure = await this.#sending;
    if (failure !== undefined) throw failure;
  }

  async #send(batch: readonly Result[]): Promise<Error | undefined> {
    const { clock, signal } = this.#parts;
    let failures = 0;
    let lastSuccessMs = clock.monotonicMs();
    for (let from = 0; from < batch.length && !signal.aborted; ) {
      const part = batch.slice(from, from + this.#batchItems);
      try {
        this.#settle(part, await this.#sink.write(part, signal));
        from += part.length;
        failures = 0;
        lastSuccessMs = clock.monotonicMs();
        this.#batchItems = Math.min(this.#batchItems * 2, this.#maxItems);
      } catch (error) {
        if (signal.aborted) break;
        if (!isTransient(error) || clock.monotonicMs() - lastSuccessMs > MAX_OUTAGE_MS) return this.#cannot(error);
        // A slow link that never carries a whole batch in time may carry a small one.
        this.#batchItems = Math.max(1, Math.floor(this.#batchItems / 2));
        await this.#backOff(error, failures++);
      }
    }
    return undefined;
  }

  #settle(batch: readonly Result[], rejections: readonly Rejection[]): void {
    this.#stored += batch.length - rejections.length;
    this.#refused += rejections.length;
    for (const { result, reason } of rejections) {
      if (this.#refusals.length < MAX_NAMED_REFUSALS) this.#refusals.push(`${resultId(result)}: ${reason}`);
    }
  }

  async #backOff(error: SinkError, failures: number): Promise<void> {
    const { clock, random, tell, signal } = this.#parts;
    const waitMs = error.retryAfterMs ?? backoffMs(failures, { random });
    if (failures === 0) tell(`${this.#sink.name}: ${error.message}; trying again`);
    await clock.sleep(waitMs, signal);
  }

  #cannot(error: unknown): Error {
    // Anything else is a fault of ours.
    if (!(error instanceof SinkError)) return error instanceof Error ? error : new Error(messageOf(error));
    return new GatewayError(`Cannot write to ${this.#sink.name}: ${error.message}`, {
      hint: `${count(this.#stored, 'result')} stored. Mend it and replay again: what is stored already takes the place of itself.`,
      cause: error,
    });
  }
}

function isTransient(error: unknown): error is SinkError {
  return error instanceof SinkError && error.kind === 'transient';
}
