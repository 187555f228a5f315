import type { EpochMs } from '../core/clock.ts';
import { Quality } from '../core/quality.ts';
import type { Reading } from '../core/reading.ts';
import type { ClockReference } from './command.ts';
import { decodeReadings, type Homeless, type InternSeries, ReadingEncoder } from './reading-codec.ts';

/** Readings that are set aside at the most, about 200 bytes of memory each. */
export const MAX_PROVISIONAL_READINGS = 50_000;

/** Stretches of estimated time that are remembered: one for each start without a clock. */
const MAX_REFERENCES = 64;

/** Plain data for `v8.serialize`. */
export interface ProvisionalSnapshot {
  readonly mode: Mode;
  readonly knownTime: EpochMs;
  readonly markedTotal: number;
  readonly references: readonly ClockReference[];
  /** Each as a journal record: those of one stretch of estimated time, by its place in `references`, in order. */
  readonly held: readonly { readonly reference: number; readonly record: Uint8Array }[];
}

/**
 * Whether anybody knows what time it is; where not, whether readings without a time of their own are set aside until somebody does, or
 * have been waited for long enough and are marked.
 */
type Mode = 'known' | 'holding' | 'marking';

interface Held {
  readonly reading: Reading;
  /** Undefined where the stretch has been forgotten. */
  readonly reference: ClockReference | undefined;
}

/**
 * Readings without a time of their own that came while nobody knew what time it was. Their receive times are estimates that went on evenly
 * from some moment, a `ClockReference`; once another reference of the same boot tells the time, the distance between the two by the
 * monotonic clock, which every process of a boot shares, puts them right. Deterministic: what it is told is in the journal.
 */
export class ProvisionalReadings {
  readonly #max: number;
  #mode: Mode = 'known';
  /** The receive time when the time was last known. */
  #knownTime: EpochMs = 0;
  #markedTotal = 0;
  #references: ClockReference[] = [];
  #held: Held[] = [];
  /** Those before it have been given out. */
  #first = 0;

  /** @param max readings that are set aside at the most */
  constructor(max = MAX_PROVISIONAL_READINGS) {
    this.#max = max;
  }

  /** Readings that are set aside. */
  get count(): number {
    return this.#held.length - this.#first;
  }

  /** Readings that were given out with an estimated time, for good. */
  get markedTotal(): number {
    return this.#markedTotal;
  }

  /** Whether it is known what time it is. */
  get isTimeKnown(): boolean {
    return this.#mode === 'known';
  }

  /** Whether readings are set aside until it is, and `now` is in a later second than `before`: for what is to be done about once a second meanwhile. */
  isWaitingInNextSecond(before: EpochMs, now: EpochMs): boolean {
    return this.#mode === 'holding' && Math.floor(now / 1_000) > Math.floor(before / 1_000);
  }

  /** Where the latest estimate of the time began; undefined while the time is known. */
  get lastReference(): ClockReference | undefined {
    return this.#references.at(-1);
  }

  /** The receive time when it was last known what time it is; undefined while that is known. */
  get knownTime(): EpochMs | undefined {
    return this.isTimeKnown ? undefined : this.#knownTime;
  }

  /** Nobody knows what time it is any more, since receive time was `receiveTime`. */
  doubt(reference: ClockReference, receiveTime: EpochMs): void {
    if (this.isTimeKnown) this.#knownTime = receiveTime;
    this.#mode = 'holding';
    this.#references.push(reference);
    if (this.#references.length > MAX_REFERENCES) this.#references.shift();
  }

  /** Takes a provisional reading. @returns the reading that is to be passed on now, marked; undefined when there is none */
  take(reading: Reading): Reading | undefined {
    if (this.#mode !== 'holding') return this.#mark(reading);
    this.#held.push({ reading, reference: this.#references.at(-1) });
    if (this.count <= this.#max) return undefined;
    const oldest = this.#held[this.#first++]!.reading;
    // Forgetting in large steps keeps a step cheap.
    if (this.#first > this.#max) this.#forget();
    return this.#mark(oldest);
  }

  /**
   * Gives out, in order, the oldest readings as far as `known` cannot put them right, marked. Their estimates are those of the time
   * before it is known, and may be ahead of it: pass them on while that still is the present.
   */
  *giveUpEarlier(known: ClockReference): Generator<Reading> {
    while (this.count > 0) {
      const { reading, reference } = this.#held[this.#first]!;
      if (reference?.boot === known.boot) return;
      this.#first++;
      yield this.#mark(reading);
    }
  }

  /** It is known what time it is: gives out every reading, in order, its times put right, or marked where that cannot be. */
  *release(known: ClockReference): Generator<Reading> {
    this.#mode = 'known';
    this.#references = [];
    for (const { reading, reference } of this.#takeAll()) {
      const time = reference === undefined ? undefined : corrected(reading.receiveTime, reference, known);
      if (time === undefined) yield this.#mark(reading);
      else yield { ...reading, sourceTime: time, receiveTime: time, provisional: false };
    }
  }

  /** The time was waited for long enough: gives out every reading, marked. What comes until it is known is marked at once. */
  *giveUp(): Generator<Reading> {
    if (!this.isTimeKnown) this.#mode = 'marking';
    for (const { reading } of this.#takeAll()) yield this.#mark(reading);
  }

  /** The readings that are set aside, in order. */
  *all(): Generator<Reading> {
    for (let i = this.#first; i < this.#held.length; i++) yield this.#held[i]!.reading;
  }

  /** The true time of an estimate that was made since the last start, or before it in the same boot; undefined where nothing tells it. */
  correctedBy(known: ClockReference): (time: EpochMs) => EpochMs | undefined {
    const references = this.#references;
    return (time) => {
      const reference = references.findLast((candidate) => candidate.time <= time);
      return reference === undefined ? undefined : corrected(time, reference, known);
    };
  }

  snapshot(): ProvisionalSnapshot {
    const encoder = new ReadingEncoder();
    const held: { reference: number; record: Uint8Array }[] = [];
    let from: ClockReference | undefined;
    const finish = () => {
      if (encoder.count === 0) return;
      held.push({
        reference: from === undefined ? -1 : this.#references.indexOf(from),
        record: Uint8Array.from(encoder.finish()),
      });
    };
    for (let i = this.#first; i < this.#held.length; i++) {
      const { reading, reference } = this.#held[i]!;
      if (reference !== from) finish();
      from = reference;
      encoder.add(reading);
    }
    finish();
    return {
      mode: this.#mode,
      knownTime: this.#knownTime,
      markedTotal: this.#markedTotal,
      references: [...this.#references],
      held,
    };
  }

  /** Into a new instance. @returns where each reading came from whose series cannot be had any more */
  restore(snapshot: ProvisionalSnapshot, intern: InternSeries): readonly Homeless[] {
    this.#mode = snapshot.mode;
    this.#knownTime = snapshot.knownTime;
    this.#markedTotal = snapshot.markedTotal;
    this.#references = [...snapshot.references];
    const gone: Homeless[] = [];
    for (const { reference, record } of snapshot.held) {
      const { readings, homeless } = decodeReadings(record, intern);
      for (const reading of readings) this.#held.push({ reading, reference: this.#references[reference] });
      gone.push(...homeless);
    }
    return gone;
  }

  #mark(reading: Reading): Reading {
    this.#markedTotal++;
    const quality = reading.quality === Quality.good ? Quality.uncertain : reading.quality;
    return { ...reading, quality, provisional: false };
  }

  #takeAll(): readonly Held[] {
    this.#forget();
    const held = this.#held;
    this.#held = [];
    return held;
  }

  #forget(): void {
    this.#held = this.#held.slice(this.#first);
    this.#first = 0;
  }
}

/** Wall time at a moment of the monotonic clock of the same boot. */
export function timeAt(monotonicMs: number, reference: ClockReference): EpochMs {
  return reference.time + (monotonicMs - reference.monotonicMs);
}

function corrected(time: EpochMs, reference: ClockReference, known: ClockReference): EpochMs | undefined {
  if (reference.boot !== known.boot) return undefined;
  return Math.floor(timeAt(reference.monotonicMs + (time - reference.time), known));
}
