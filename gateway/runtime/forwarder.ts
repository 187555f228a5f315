import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { ComponentState, Lifecycle } from '../core/lifecycle.ts';
import type { Log, LogCursor, LogReader, LogRecord } from '../core/log.ts';
import { type Result, resultId } from '../core/result.ts';
import { type Rejection, type Sink, SinkError } from '../core/sink.ts';
import type { Logger } from '../core/telemetry.ts';
import type { SinkStatus } from '../core/view.ts';
import type { DeadLetters } from './dead-letters.ts';
import { decodeResults } from './result-codec.ts';

const READ_BYTES = 512 * 1024;
/** How long a sink is left alone whose configuration a person must mend. */
const HOLD_MS = 30_000;

/** How results are batched for one sink. */
export interface ForwarderOptions {
  /** Results in one batch at the most. */
  readonly maxItems: number;
  /** How long to wait for more results when there are few, in milliseconds; 0 sends at once. */
  readonly lingerMs: number;
}

/** What a forwarder works with. */
export interface ForwarderParts {
  readonly sink: Sink;
  readonly outbox: Log;
  /** Takes what the sink refuses for ever, and records that cannot be read. */
  readonly deadLetters: DeadLetters;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Uniform in [0, 1), for the jitter of retries. */
  readonly random: () => number;
}

/**
 * Carries results from the outbox to one sink, in order, at its own pace: a sink that is away holds up nobody else, and its backlog
 * is on disk only. What a sink takes is told to the cursor afterwards, so a crash in between sends a batch twice; sinks recognise it.
 */
export class Forwarder implements Lifecycle {
  readonly #parts: ForwarderParts;
  readonly #options: ForwarderOptions;
  readonly #cursor: LogCursor;
  #reader: LogReader | undefined;
  #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #state: ComponentState = 'stopped';
  #detail = 'not started';
  #deliveredTotal = 0;
  #rejectedTotal = 0;
  #failedAttemptsTotal = 0;
  #failuresInARow = 0;
  #hasSetAside = false;
  #oldestPending: LogRecord | undefined;
  /** Records a second, smoothed over about ten batches. */
  #recordsPerSecond = 0;

  constructor(parts: ForwarderParts, options: ForwarderOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#cursor = parts.outbox.cursor(parts.sink.name);
  }

  get sink(): Sink {
    return this.#parts.sink;
  }

  /** Everything before this offset of the outbox is stored. */
  get position(): number {
    return this.#cursor.offset;
  }

  async start(_signal: AbortSignal): Promise<void> {
    this.#stopping = new AbortController();
    this.#state = 'starting';
    this.#detail = 'starting';
    this.#running = this.#run(this.#stopping.signal);
  }

  async stop(signal: AbortSignal): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#parts.sink.stop(signal);
    this.#state = 'stopped';
    this.#detail = 'stopped';
  }

  status(): SinkStatus {
    const { sink, outbox, clock } = this.#parts;
    const log = outbox.status();
    const records = Math.max(0, log.nextOffset - Math.max(this.#cursor.offset, log.firstOffset));
    const kept = log.nextOffset - log.firstOffset;
    return {
      name: sink.name,
      type: sink.type,
      state: this.#state,
      detail: this.#detail,
      deliveredTotal: this.#deliveredTotal,
      rejectedTotal: this.#rejectedTotal,
      failedAttemptsTotal: this.#failedAttemptsTotal,
      backlog: {
        records,
        bytes: kept === 0 ? 0 : Math.round((log.bytes * records) / kept),
        oldestAgeMs: this.#oldestPending === undefined ? null : Math.max(0, clock.now() - this.#oldestPending.time),
        drainSeconds: this.#drainSeconds(records),
      },
    };
  }

  #drainSeconds(records: number): number | null {
    if (records === 0) return 0;
    return this.#failuresInARow > 0 || this.#recordsPerSecond === 0 ? null : records / this.#recordsPerSecond;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { outbox, sink } = this.#parts;
    await this.#untilDone(signal, () => sink.start(signal));
    this.#reader = outbox.reader(this.#cursor.offset);
    while (!signal.aborted) {
      try {
        await this.#forwardSome(this.#reader, signal);
      } catch (error) {
        // Only the outbox can fail here: a damaged disk. Say it, and try again later.
        this.#fail(error, 'cannot read the outbox');
        await this.#parts.clock.sleep(HOLD_MS, signal);
      }
    }
    await this.#reader.close();
  }

  async #forwardSome(reader: LogReader, signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    let records = await reader.read(READ_BYTES);
    if (records.length === 0) {
      this.#caughtUp();
      await reader.wait(signal);
      if (signal.aborted) return;
      // Results of one moment come in several records: a short wait makes one request of them.
      if (this.#options.lingerMs > 0) await clock.sleep(this.#options.lingerMs, signal);
      records = await reader.read(READ_BYTES);
    }
    if (records.length === 0 || signal.aborted) return;
    this.#oldestPending = records[0];
    const begun = clock.monotonicMs();
    for (const batch of this.#batches(records)) {
      await this.#untilDone(signal, () => this.#write(batch, signal));
      if (signal.aborted) return;
    }
    // What was set aside must be safe before the cursor passes it.
    if (this.#hasSetAside) await this.#parts.deadLetters.commit();
    this.#hasSetAside = false;
    await this.#cursor.commit(records.at(-1)!.offset + 1);
    this.#measure(records.length, clock.monotonicMs() - begun);
  }

  *#batches(records: readonly LogRecord[]): Generator<readonly Result[]> {
    let batch: Result[] = [];
    for (const record of records) {
      for (const result of this.#resultsOf(record)) {
        batch.push(result);
        if (batch.length < this.#options.maxItems) continue;
        yield batch;
        batch = [];
      }
    }
    if (batch.length > 0) yield batch;
  }

  #resultsOf(record: LogRecord): readonly Result[] {
    try {
      return decodeResults(record.payload);
    } catch (error) {
      this.#rejectedTotal += record.items;
      this.#hasSetAside = true;
      this.#parts.deadLetters.add(this.sink.name, `outbox record ${record.offset}`, messageOf(error), record.payload);
      return [];
    }
  }

  async #write(batch: readonly Result[], signal: AbortSignal): Promise<void> {
    const rejections = await this.#parts.sink.write(batch, signal);
    this.#deliveredTotal += batch.length - rejections.length;
    if (rejections.length > 0) this.#setAside(rejections);
    this.#failuresInARow = 0;
    this.#state = 'running';
    this.#detail = 'delivering';
  }

  #setAside(rejections: readonly Rejection[]): void {
    this.#rejectedTotal += rejections.length;
    this.#hasSetAside = true;
    for (const { result, reason } of rejections) {
      this.#parts.deadLetters.add(this.sink.name, resultId(result), reason, Buffer.from(JSON.stringify(result)));
    }
    this.#parts.logger.warn(
      { count: rejections.length, reason: rejections[0]!.reason },
      'sink refused results for ever: set aside',
    );
  }

  /** Tries until it works or the forwarder is stopped, with full-jitter back-off. */
  async #untilDone(signal: AbortSignal, attempt: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      try {
        await attempt();
        return;
      } catch (error) {
        if (signal.aborted) return;
        const waitMs = this.#waitAfter(error);
        this.#failuresInARow++;
        this.#fail(error, `trying again within ${Math.ceil(waitMs / 1000)} s`);
        await this.#parts.clock.sleep(waitMs, signal);
      }
    }
  }

  #waitAfter(error: unknown): number {
    const jittered = backoffMs(this.#failuresInARow, { random: this.#parts.random });
    if (!(error instanceof SinkError)) return jittered;
    if (error.kind === 'configuration') return HOLD_MS;
    return error.retryAfterMs === undefined ? jittered : error.retryAfterMs + jittered;
  }

  #fail(error: unknown, next: string): void {
    this.#failedAttemptsTotal++;
    this.#state = 'degraded';
    const detail = `${messageOf(error)}; ${next}`;
    if (this.#failuresInARow <= 1)
      this.#parts.logger.warn({ error: messageOf(error) }, `sink is not taking results: ${next}`);
    this.#detail = detail;
  }

  #caughtUp(): void {
    this.#oldestPending = undefined;
    if (this.#failuresInARow > 0) return;
    this.#state = 'running';
    this.#detail = 'everything is delivered';
  }

  #measure(records: number, elapsedMs: number): void {
    const rate = (records * 1000) / Math.max(1, elapsedMs);
    this.#recordsPerSecond = this.#recordsPerSecond === 0 ? rate : this.#recordsPerSecond * 0.9 + rate * 0.1;
  }
}
