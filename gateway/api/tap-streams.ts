import type { Clock } from '../core/clock.ts';
import type { Inspection, TapListener } from '../core/inspection.ts';
import { qualityName } from '../core/quality.ts';
import type { Reading } from '../core/reading.ts';
import type { Result } from '../core/result.ts';
import type { StreamSocket } from './event-hub.ts';

/** So many watch at once at the most. */
const MAX_STREAMS = 8;
/** What a client has not read yet, at the most; what comes beyond is left out. */
const MAX_UNSENT_BYTES = 256 * 1024;
/** How often what was left out is told, in milliseconds. */
const TELL_MS = 1_000;
/** A client hears something at least so often. */
const HEARTBEAT_MS = 10_000;

/** What a client asks for. */
export interface TapRequest {
  /** Name of a stage. */
  readonly stage: string;
  readonly series: string | undefined;
  /** At most so many events in a second. */
  readonly perSecond: number;
}

/**
 * Sends what passes a stage to those who watch it, as server-sent events: `passed` for each, no more in a second than asked for, and
 * `left-out` with how many there were beside, each second in which there were any. Nothing is kept for who comes back.
 */
export class TapStreams {
  readonly #inspection: Inspection;
  readonly #clock: Clock;
  readonly #streams = new Set<TapStream>();
  #isStopped = false;

  constructor(inspection: Inspection, clock: Clock) {
    this.#inspection = inspection;
    this.#clock = clock;
  }

  /** True when nobody else can watch. */
  get full(): boolean {
    return this.#isStopped || this.#streams.size >= MAX_STREAMS;
  }

  /** Takes a client; returns how to leave, to be called when its connection closes. While live data is given up its stream ends at once. */
  join(socket: StreamSocket, { stage, series, perSecond }: TapRequest): () => void {
    const stream = new TapStream(socket, this.#clock, perSecond);
    const close = this.#inspection.tap({ stage, series }, stream);
    if (close === undefined) {
      socket.end();
      return () => {};
    }
    this.#streams.add(stream);
    // The head of the answer leaves with the first write.
    socket.write('retry: 1000\n\n');
    void stream.tell();
    return () => {
      close();
      stream.leave();
      this.#streams.delete(stream);
    };
  }

  /** Ends every stream and takes no more. */
  stop(): void {
    this.#isStopped = true;
    for (const stream of this.#streams) stream.end();
    this.#streams.clear();
  }
}

/** One who watches. */
class TapStream implements TapListener {
  readonly #socket: StreamSocket;
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #left = new AbortController();
  #leftOut = 0;
  #sent = 0;
  #secondEndsMs = Number.NEGATIVE_INFINITY;
  #lastMs: number;

  constructor(socket: StreamSocket, clock: Clock, perSecond: number) {
    this.#socket = socket;
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#lastMs = clock.monotonicMs();
  }

  passed(item: Reading | Result, outcome: string | undefined): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs >= this.#secondEndsMs) {
      this.#secondEndsMs = nowMs + 1000;
      this.#sent = 0;
    }
    if (this.#sent >= this.#perSecond || this.#socket.writableLength > MAX_UNSENT_BYTES) {
      this.#leftOut++;
      return;
    }
    this.#sent++;
    this.#write('passed', 'kind' in item ? item : shown(item, outcome));
  }

  end(): void {
    this.leave();
    this.#socket.end();
  }

  /** Nobody reads any more. */
  leave(): void {
    this.#left.abort();
  }

  /** Tells what was left out, and that the line is alive, until nobody reads any more. */
  async tell(): Promise<void> {
    const { signal } = this.#left;
    while (!signal.aborted) {
      await this.#clock.sleep(TELL_MS, signal);
      if (signal.aborted) return;
      if (this.#leftOut > 0) {
        this.#write('left-out', { count: this.#leftOut });
        this.#leftOut = 0;
      } else if (this.#clock.monotonicMs() - this.#lastMs >= HEARTBEAT_MS) {
        this.#write('heartbeat', { now: this.#clock.now() });
      }
    }
  }

  #write(event: string, data: object): void {
    this.#lastMs = this.#clock.monotonicMs();
    this.#socket.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }
}

function shown({ series, source, value, quality, sourceTime, receiveTime }: Reading, outcome: string | undefined) {
  const reading = { series: series.key, source, value, quality: qualityName(quality), sourceTime, receiveTime };
  return outcome === undefined ? reading : { ...reading, outcome };
}
