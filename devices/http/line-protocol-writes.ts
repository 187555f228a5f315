import type { Clock, EpochMs } from '../../gateway/core/clock.ts';
import type { Intake } from '../../gateway/core/intake.ts';
import type { ComponentState } from '../../gateway/core/lifecycle.ts';
import type { LineWrite, LineWriteOutcome, LineWrites } from '../../gateway/core/line-writes.ts';
import type { DecodeTarget } from '../../gateway/core/message.ts';
import { Quality } from '../../gateway/core/quality.ts';
import type { Value } from '../../gateway/core/reading.ts';
import type { Source, SourceStatus } from '../../gateway/core/source.ts';
import { LineReader } from '../decoders/line-reader.ts';
import { type BodyLimits, BodyRefusal, BodyRoom } from './body.ts';

/** How much may be written at a time. */
export interface LineProtocolWriteLimits extends BodyLimits {
  /** Requests at a time. */
  readonly maxRequests: number;
  /** Values in a request. */
  readonly maxValues: number;
}

/** Bodies as Telegraf sends them are some hundred kilobytes. */
const LIMITS: LineProtocolWriteLimits = {
  maxBytes: 16 * 1024 * 1024,
  maxInflatedBytes: 32 * 1024 * 1024,
  maxHeldBytes: 64 * 1024 * 1024,
  maxRequests: 256,
  maxValues: 32_768,
};

/** No value is shorter: `,b=1`. */
const LEAST_BYTES_OF_A_VALUE = 4;

/** What of a body is read in one go, which takes some milliseconds; the next ones when these are durable. */
const SLICE = { characters: 256 * 1024, items: 5_000 };

/**
 * Line protocol that is written over HTTP, as a source. A request is answered when all of its readings are durable; while the disk is
 * slow, requests wait, and what they hold is bounded.
 */
export class LineProtocolWrites implements Source, LineWrites {
  readonly name: string;
  readonly type = 'http';
  readonly #intake: Intake;
  readonly #clock: Clock;
  readonly #limits: LineProtocolWriteLimits;
  readonly #room: BodyRoom;
  #state: ComponentState = 'starting';
  #requests = 0;
  #requestsTotal = 0;
  #refusedRequestsTotal = 0;

  constructor(name: string, intake: Intake, clock: Clock, limits: Partial<LineProtocolWriteLimits> = {}) {
    this.name = name;
    this.#intake = intake;
    this.#clock = clock;
    this.#limits = { ...LIMITS, ...limits };
    this.#room = new BodyRoom(this.#limits);
  }

  async start(_signal: AbortSignal): Promise<void> {
    this.#state = 'running';
  }

  /** Requests under way are not acknowledged any more, unless all of them is in the journal already. */
  async stop(_signal: AbortSignal): Promise<void> {
    this.#state = 'stopped';
  }

  status(): SourceStatus {
    const running = this.#state === 'running';
    return {
      state: this.#state,
      detail: running ? 'takes line protocol on the port of the API' : `writing is ${this.#state}`,
      numbers: {
        requestsInProgress: this.#requests,
        requestsTotal: this.#requestsTotal,
        inFlightBytes: this.#room.heldBytes,
        refusedRequestsTotal: this.#refusedRequestsTotal,
      },
      bounds: [
        { name: 'requests', used: this.#requests, max: this.#limits.maxRequests, unit: 'requests' },
        { name: 'bodies', used: this.#room.heldBytes, max: this.#limits.maxHeldBytes, unit: 'bytes' },
      ],
    };
  }

  async write(request: LineWrite): Promise<LineWriteOutcome> {
    this.#requestsTotal++;
    this.#requests++;
    try {
      const { maxRequests } = this.#limits;
      if (this.#requests > maxRequests) {
        throw new BodyRefusal('busy', `${maxRequests} requests are being written, the most at a time`);
      }
      this.#checkRunning();
      return await this.#room.read(request, async (body) => {
        const reader = new LineReader(body, request.precision);
        await this.#checkValues(reader, body.length);
        return this.#take(reader);
      });
    } catch (error) {
      this.#refusedRequestsTotal++;
      if (error instanceof BodyRefusal) return { kind: error.kind, detail: error.message };
      throw error;
    } finally {
      this.#requests--;
    }
  }

  async #take(reader: LineReader): Promise<LineWriteOutcome> {
    const target = new WriteTarget(this.#intake);
    for (let more = true; more; ) {
      this.#checkRunning();
      // Anew for each slice: while one waits for the disk the clock may be set.
      target.receiveTime = this.#clock.now();
      more = reader.read(target, SLICE.characters, SLICE.items);
      await new Promise<void>((resolve) => this.#intake.acknowledge(resolve));
    }
    return { kind: 'durable', refused: target.refused, reason: target.reason };
  }

  /**
   * A request that is sent again must be among the readings that are remembered, all of it: otherwise its first values count twice. So one of
   * too many values is refused before any of it is taken.
   */
  async #checkValues(reader: LineReader, bytes: number): Promise<void> {
    const { maxValues } = this.#limits;
    if (bytes <= maxValues * LEAST_BYTES_OF_A_VALUE) return;
    const count = new ValueCount();
    for (let more = true; more; ) {
      this.#checkRunning();
      more = reader.read(count, SLICE.characters, SLICE.items);
      if (count.values > maxValues) {
        throw new BodyRefusal(
          'too-large',
          `the body of ${bytes} bytes has more than ${maxValues} values; at most ${maxValues} are taken, half of storage.rememberedReadings, so that all of them are recognised when they are sent again`,
        );
      }
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    reader.restart();
  }

  #checkRunning(): void {
    if (this.#state !== 'running') throw new BodyRefusal('busy', `the gateway is ${this.#state}`);
  }
}

/** Counts what is in the lines of one request. */
class ValueCount implements DecodeTarget {
  values = 0;

  value(): void {
    this.values++;
  }

  reject(): void {
    // It counts as refused when the lines are taken.
  }
}

/** Receives what is in the lines of one request. */
class WriteTarget implements DecodeTarget {
  readonly #intake: Intake;
  receiveTime: EpochMs = 0;
  /** Lines and values that were set aside. */
  refused = 0;
  /** Why the first was. */
  reason: string | undefined;

  constructor(intake: Intake) {
    this.#intake = intake;
  }

  value(
    value: Value,
    sourceTime: EpochMs | undefined,
    metric = '',
    device = '',
    tags?: Readonly<Record<string, string>>,
  ): void {
    const series = this.#intake.series(tags === undefined ? { device, metric } : { device, metric, tags });
    if (typeof series === 'string') {
      this.#intake.reject(`${device}/${metric}`, series, Buffer.from(JSON.stringify({ value, sourceTime })));
      this.#count(series);
      return;
    }
    const problem = this.#intake.reading(series, value, Quality.good, sourceTime, this.receiveTime);
    if (problem !== undefined) this.#count(problem);
  }

  reject(reason: string, part = ''): void {
    this.#intake.reject('line protocol', reason, Buffer.from(part));
    this.#count(reason);
  }

  #count(reason: string): void {
    this.refused++;
    this.reason ??= reason;
  }
}
