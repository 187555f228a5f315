import { backoffMs } from '../base/backoff.ts';
import { firstOf } from '../base/first-of.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { ComponentState, Lifecycle } from '../core/lifecycle.ts';
import { type Log, LogReadError, type LogRecord } from '../core/log.ts';
import { type Result, resultId } from '../core/result.ts';
import { type Rejection, type Sink, SinkError } from '../core/sink.ts';
import type { Logger } from '../core/telemetry.ts';
import type { SinkStatus } from '../core/view.ts';
import { addBacklogs } from './backlog.ts';
import type { DeadLetters } from './dead-letters.ts';
import { type CatchUp, Lane, type Portion } from './lane.ts';
import { decodeResults } from './result-codec.ts';
import type { ResultPositions } from './result-logs.ts';
import { addSinkCounts, sinkImbalance } from './sink-ledger.ts';

/** How long a sink is left alone at least whose configuration a person must mend, and how much longer at the most. */
const HOLD_MS = 30_000;
const HOLD_JITTER_MS = 10_000;

/**
 * What the disk has refused to read so often, and for so long, is passed over as damage: the rest of the log goes on. Longer than a bus is reset
 * or a card found again. Where the whole disk is away, the log passes nothing over, and that is waited for as long as it takes.
 */
const PATIENCE = { failures: 8, ms: 120_000 };

const IN_ORDER: CatchUp = { order: 'in-order', maxPerSecond: Number.POSITIVE_INFINITY };

/** How results are batched for one sink. */
export interface ForwarderOptions {
  /** Results in one batch at the most. */
  readonly maxItems: number;
  /** Results that are still sent together after many failures; 1 when left out. */
  readonly minItems?: number;
  /** How long to wait for more results when there are few, in milliseconds; 0 sends at once. */
  readonly lingerMs: number;
  /** How it catches up after an outage; in order when left out. */
  readonly catchUp?: CatchUp;
}

/** A lane that is left alone. Times are monotonic. */
interface Hold {
  readonly failures: number;
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** What a forwarder works with. */
export interface ForwarderParts {
  readonly sink: Sink;
  /** Alarms, which go before everything else, always in order. */
  readonly alarmOutbox: Log;
  /** All other results. */
  readonly outbox: Log;
  /** Takes what the sink refuses for ever, and records that cannot be read. */
  readonly deadLetters: DeadLetters;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Uniform in [0, 1), for the jitter of retries. */
  readonly random: () => number;
}

/**
 * Carries results from the two outboxes to one sink at its own pace: a sink that is away holds up nobody else, and its backlog
 * is on disk only. What a sink takes is told to the cursors afterwards, so a crash in between sends a batch twice; sinks recognise it.
 */
export class Forwarder implements Lifecycle {
  readonly #parts: ForwarderParts;
  readonly #options: ForwarderOptions;
  readonly #alarms: Lane;
  readonly #others: Lane;
  readonly #opened = new Set<Lane>();
  /** Lanes whose logs could not be read the last time, and until which monotonic time they are left alone. */
  readonly #held = new Map<Lane, Hold>();
  #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #state: ComponentState = 'stopped';
  #detail = 'not started';
  #failedAttemptsTotal = 0;
  #failuresInARow = 0;
  /** Results in one batch just now, but for a record that holds more: half as many after each failure, twice after each success. */
  #batchItems: number;

  constructor(parts: ForwarderParts, options: ForwarderOptions) {
    const { sink, clock, alarmOutbox, outbox } = parts;
    const { maxItems, catchUp = IN_ORDER } = options;
    this.#parts = parts;
    this.#options = options;
    this.#batchItems = maxItems;
    const common = { sink: sink.name, clock, maxItems };
    this.#alarms = new Lane({ ...common, log: alarmOutbox, catchUp: IN_ORDER });
    this.#others = new Lane({ ...common, log: outbox, catchUp });
  }

  get sink(): Sink {
    return this.#parts.sink;
  }

  /** Everything before these offsets of the two logs is done with. */
  get positions(): ResultPositions {
    return { alarms: this.#alarms.position, others: this.#others.position };
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
    const { sink } = this.#parts;
    const counts = addSinkCounts(this.#alarms.counts(), this.#others.counts());
    const ledger = { ...counts, imbalance: sinkImbalance(counts) };
    return {
      name: sink.name,
      type: sink.type,
      state: this.#state,
      detail: this.#detail,
      ledger,
      deliveredTotal: ledger.delivered,
      rejectedTotal: ledger.rejected,
      failedAttemptsTotal: this.#failedAttemptsTotal,
      backlog: addBacklogs(this.#alarms.backlog(), this.#others.backlog()),
    };
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { sink } = this.#parts;
    await this.#untilDone(signal, () => sink.start(signal));
    while (!signal.aborted) await this.#forwardSome(signal);
    for (const lane of [this.#alarms, this.#others]) await lane.close();
  }

  /** Delivers the portion whose turn it is, alarms first; or waits for one. */
  async #forwardSome(signal: AbortSignal): Promise<void> {
    for (const lane of [this.#alarms, this.#others]) {
      const portion = await this.#portionOf(lane, signal);
      if (portion === undefined) continue;
      try {
        await this.#deliver(lane, portion, signal);
      } catch (error) {
        await lane.giveBack(portion);
        if (!signal.aborted) await this.#backOff(error, signal);
      }
      return;
    }
    await this.#idle(signal);
  }

  /** The next portion of a lane. One whose log the disk refuses to read is left alone for a while: the other one goes on. */
  async #portionOf(lane: Lane, signal: AbortSignal): Promise<Portion | undefined> {
    if (this.#heldMs(lane) > 0) return undefined;
    try {
      if (!this.#opened.has(lane)) await lane.open(signal);
      this.#opened.add(lane);
      const portion = await lane.next(this.#batchItems);
      this.#held.delete(lane);
      return portion;
    } catch (error) {
      await this.#hold(lane, error);
      return undefined;
    }
  }

  async #hold(lane: Lane, error: unknown): Promise<void> {
    const nowMs = this.#parts.clock.monotonicMs();
    const { failures = 0, sinceMs = nowMs } = this.#held.get(lane) ?? {};
    const waitMs = backoffMs(failures + 1, { random: this.#parts.random });
    this.#held.set(lane, { failures: failures + 1, sinceMs, untilMs: nowMs + waitMs });
    this.#fail(error, `cannot read what is to be delivered, trying again within ${Math.ceil(waitMs / 1000)} s`);
    const isPatient = failures + 1 < PATIENCE.failures || nowMs - sinceMs < PATIENCE.ms;
    if (!(error instanceof LogReadError) || isPatient) return;
    try {
      await lane.passOver(error);
    } catch (reason) {
      // The next refusal asks again.
      this.#parts.logger.warn({ error: messageOf(reason) }, 'cannot pass over what the disk refuses');
    }
  }

  /** For how long a lane is still left alone, in milliseconds; not above 0 when it is not. */
  #heldMs(lane: Lane): number {
    return (this.#held.get(lane)?.untilMs ?? Number.NEGATIVE_INFINITY) - this.#parts.clock.monotonicMs();
  }

  /** Resolves when a lane may have something. */
  #woken(lane: Lane, until: AbortSignal): Promise<void> {
    const heldMs = this.#heldMs(lane);
    return heldMs > 0 ? this.#parts.clock.sleep(heldMs, until) : lane.wait(until);
  }

  async #deliver(lane: Lane, portion: Portion, signal: AbortSignal): Promise<void> {
    const { sink, deadLetters } = this.#parts;
    const sorted = this.#sort(lane, portion);
    const rejections: Rejection[] = [];
    const { maxItems } = this.#options;
    for (let from = 0; from < sorted.batch.length; from += maxItems) {
      rejections.push(...(await sink.write(sorted.batch.slice(from, from + maxItems), signal)));
    }
    this.#batchItems = Math.min(this.#batchItems * 2, maxItems);
    for (const { record, error } of sorted.unreadable) {
      deadLetters.addResult(sink.name, `outbox record ${record.offset}`, messageOf(error), record.payload);
    }
    this.#setAside(rejections);
    // What was set aside must be safe before the cursor passes it.
    if (rejections.length + sorted.unreadable.length > 0) await deadLetters.commit();
    const refused = new Set(rejections.map(({ result }) => result));
    const delivered = sorted.batch.filter((result) => !refused.has(result));
    const unreadableItems = sorted.unreadable.reduce((sum, { record }) => sum + record.items, 0);
    const { filtered, superseded } = sorted;
    const rejected = rejections.length + unreadableItems;
    this.#failuresInARow = 0;
    this.#state = 'running';
    const catchesUp = this.#others.backlogWaitMs() !== undefined;
    this.#detail = catchesUp ? 'delivering what is new at once; what has waited follows' : 'delivering';
    await lane.settle(portion, { delivered: delivered.length, rejected, filtered, superseded }, delivered);
  }

  /** What of a portion goes to the sink, and what does not. */
  #sort(lane: Lane, { records }: Portion) {
    const { sink } = this.#parts;
    const batch: Result[] = [];
    const unreadable: { record: LogRecord; error: unknown }[] = [];
    let filtered = 0;
    let superseded = 0;
    for (const record of records) {
      try {
        for (const result of decodeResults(record.payload)) {
          if (sink.stores?.(result) === false) filtered++;
          else if (lane.supersedes(result)) superseded++;
          else batch.push(result);
        }
      } catch (error) {
        unreadable.push({ record, error });
      }
    }
    return { batch, unreadable, filtered, superseded };
  }

  #setAside(rejections: readonly Rejection[]): void {
    if (rejections.length === 0) return;
    const { deadLetters, logger } = this.#parts;
    for (const { result, reason } of rejections) {
      deadLetters.addResult(this.sink.name, resultId(result), reason, Buffer.from(JSON.stringify(result)));
    }
    logger.warn(
      { count: rejections.length, reason: rejections[0]!.reason },
      'sink refused results for ever: set aside',
    );
  }

  /** Waits until there is something to deliver, and a little longer where more may come: one request carries it all. */
  async #idle(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    const { lingerMs } = this.#options;
    // A backlog that cannot be read waits as long as its log does.
    const backlogWaitMs = this.#heldMs(this.#others) > 0 ? undefined : this.#others.backlogWaitMs();
    if (backlogWaitMs === undefined && this.#failuresInARow === 0 && this.#held.size === 0) {
      this.#state = 'running';
      this.#detail = 'everything is delivered';
    }
    const woken = await firstOf(signal, {
      alarms: (until) => this.#woken(this.#alarms, until),
      others: (until) => this.#woken(this.#others, until),
      ...(backlogWaitMs === undefined
        ? {}
        : { backlog: (until: AbortSignal) => clock.sleep(Math.max(1, backlogWaitMs), until) }),
    });
    if (woken !== 'others' || lingerMs === 0) return;
    await firstOf(signal, {
      alarms: (until) => this.#woken(this.#alarms, until),
      linger: (until) => clock.sleep(lingerMs, until),
    });
  }

  /** Tries until it works or the forwarder is stopped. */
  async #untilDone(signal: AbortSignal, attempt: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      try {
        await attempt();
        return;
      } catch (error) {
        if (!signal.aborted) await this.#backOff(error, signal);
      }
    }
  }

  /** Waits before the next attempt, with full jitter: many gateways that lost one sink do not come back in step. */
  async #backOff(error: unknown, signal: AbortSignal): Promise<void> {
    const waitMs = this.#waitAfter(error);
    this.#failuresInARow++;
    // A slow link that never carries a whole batch in time may carry a small one.
    this.#batchItems = Math.max(this.#options.minItems ?? 1, Math.floor(this.#batchItems / 2));
    this.#fail(error, `trying again within ${Math.ceil(waitMs / 1000)} s`);
    await this.#parts.clock.sleep(waitMs, signal);
  }

  #waitAfter(error: unknown): number {
    const { random } = this.#parts;
    if (error instanceof SinkError) {
      if (error.kind === 'configuration') return HOLD_MS + random() * HOLD_JITTER_MS;
      // All who asked at the same time were told the same: they spread over half as long again.
      if (error.retryAfterMs !== undefined) {
        return error.retryAfterMs + Math.max((random() * error.retryAfterMs) / 2, this.#jitterMs());
      }
    }
    return this.#jitterMs();
  }

  #jitterMs(): number {
    return backoffMs(this.#failuresInARow, { random: this.#parts.random });
  }

  #fail(error: unknown, next: string): void {
    this.#failedAttemptsTotal++;
    this.#state = 'degraded';
    this.#detail = `${messageOf(error)}; ${next}`;
    if (this.#failuresInARow > 1) return;
    this.#parts.logger.warn({ error: messageOf(error) }, `sink is not taking results: ${next}`);
  }
}
