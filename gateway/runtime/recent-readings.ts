import type { EpochMs } from '../core/clock.ts';
import { Quality, qualityName } from '../core/quality.ts';
import { asNumber, type Reading, type Series } from '../core/reading.ts';
import type { LiveReading, ReadingRow, ReadingsQuery } from '../core/view.ts';

/** Readings held for each series at the most. */
const MAX_HELD = 1_024;
/** What a series begins with: V8 keeps arrays this small in its heap, larger ones cost several hundred bytes each beside it. */
const FIRST_HELD = 8;
/** Without more room, a series still has its last reading. */
const LEAST_HELD = 1;
/** Measurements that a rate is the mean of, the older ones counting less. */
const RATE_MEMORY = 5;
/** Readings held for all series together at the most, and one for each series beyond: about 18 bytes each. */
const MAX_HELD_TOTAL = 1_000_000;
const QUALITY_BITS = 0b11;
const ANOMALY = 1 << 2;
const BOOLEAN = 1 << 3;
const PROVISIONAL = 1 << 4;
const RECALLED = 1 << 5;

/** The newest readings of every series, in memory: for the page, the API and the live stream. */
export class RecentReadings {
  readonly #rings: (Ring | undefined)[] = [];
  #heldTotal = 0;
  #maxHeldTotal = MAX_HELD_TOTAL;
  #live = false;
  #changed: Ring[] = [];

  /** Keeps a reading. Hot path. */
  add(reading: Reading): void {
    const ring = this.#rings[reading.series.id] ?? this.#newRing(reading.series);
    if (ring.needsRoom && this.#heldTotal + ring.capacity <= this.#maxHeldTotal) {
      this.#heldTotal += ring.capacity;
      ring.grow();
    }
    ring.add(reading);
    if (this.#live && !ring.changed) {
      ring.changed = true;
      this.#changed.push(ring);
    }
  }

  /** Keeps a reading that an earlier process has analysed. */
  recall(reading: Reading): void {
    this.add(reading);
    this.#rings[reading.series.id]!.mark(reading.sourceTime, RECALLED);
  }

  /** Whether a reading of that time is held which an earlier process has analysed. */
  isRecalled(series: Series, time: EpochMs): boolean {
    return this.#rings[series.id]?.isMarked(time, RECALLED) === true;
  }

  /** Readings there is room for just now. */
  get held(): number {
    return this.#heldTotal;
  }

  /** The most readings there can be room for, with so many series. */
  maxHeld(series: number): number {
    return MAX_HELD_TOTAL + FIRST_HELD + series * LEAST_HELD;
  }

  /** Gives up all but the last reading of each series, and keeps no more until told otherwise. */
  set isGivenUp(givenUp: boolean) {
    this.#maxHeldTotal = givenUp ? 0 : MAX_HELD_TOTAL;
    if (!givenUp) return;
    this.#heldTotal = 0;
    for (const ring of this.#rings) {
      if (ring === undefined) continue;
      ring.resize(LEAST_HELD);
      this.#heldTotal += LEAST_HELD;
    }
  }

  /** Marks a reading as an anomaly, if it is still held. It may have waited for its time, or for what came after it, since it was added. */
  markAnomaly({ series, sourceTime }: Pick<Reading, 'series' | 'sourceTime'>): void {
    this.#rings[series.id]?.mark(sourceTime, ANOMALY);
  }

  /**
   * Puts the times of provisional readings right, as `correct` says; where it says undefined, the estimate stays and the reading is
   * uncertain.
   */
  settle(correct: (time: EpochMs) => EpochMs | undefined): void {
    for (const ring of this.#rings) ring?.settle(correct);
  }

  /** The readings that a query asks for, oldest first. */
  query(series: Series, query: ReadingsQuery): readonly ReadingRow[] {
    const ring = this.#rings[series.id];
    return ring === undefined ? [] : ring.rows(query.from ?? -Infinity, query.to ?? Infinity, query.limit);
  }

  last(series: Series): ReadingRow | undefined {
    return this.#rings[series.id]?.rows(-Infinity, Infinity, 1)[0];
  }

  receivedTotal(series: Series): number {
    return this.#rings[series.id]?.total ?? 0;
  }

  /** Readings a second over about the last five calls of `measureRates`. */
  rate(series: Series): number {
    return this.#rings[series.id]?.rate ?? 0;
  }

  /** Rates count from now on: what a restart has brought back did not come just now. */
  beginRates(): void {
    for (const ring of this.#rings) ring?.beginRate();
  }

  /** Call it every few seconds with the time since the last call, in milliseconds. */
  measureRates(elapsedMs: number): void {
    for (const ring of this.#rings) ring?.measureRate(elapsedMs);
  }

  /** Whether anybody wants `takeChanges`. */
  set live(live: boolean) {
    this.#live = live;
    if (!live) this.takeChanges(0);
  }

  /** What was added since the last call, at most `limit` for each series, the newest. */
  takeChanges(limit: number): readonly LiveReading[] {
    const changed = this.#changed;
    this.#changed = [];
    const rows: LiveReading[] = [];
    for (const ring of changed) {
      const fresh = Math.min(limit, ring.total - ring.taken);
      ring.changed = false;
      ring.taken = ring.total;
      if (fresh > 0) for (const row of ring.rows(-Infinity, Infinity, fresh)) rows.push({ series: ring.key, ...row });
    }
    return rows;
  }

  #newRing(series: Series): Ring {
    while (this.#rings.length <= series.id) this.#rings.push(undefined);
    const ring = new Ring(series.key, this.#heldTotal < this.#maxHeldTotal ? FIRST_HELD : LEAST_HELD);
    this.#heldTotal += ring.capacity;
    this.#rings[series.id] = ring;
    return ring;
  }
}

/** The newest readings of one series, as columns. Of texts only the last one is kept. */
class Ring {
  readonly key: string;
  capacity: number;
  total = 0;
  taken = 0;
  changed = false;
  rate = 0;
  #totalAtMeasure = 0;
  #measured = 0;
  #times: Float64Array;
  #values: Float64Array;
  #flags: Uint8Array;
  #next = 0;
  #held = 0;
  #text: { value: string; time: EpochMs; quality: Quality } | undefined;

  constructor(key: string, capacity: number) {
    this.key = key;
    this.capacity = capacity;
    this.#times = new Float64Array(capacity);
    this.#values = new Float64Array(capacity);
    this.#flags = new Uint8Array(capacity);
  }

  get needsRoom(): boolean {
    return this.#held === this.capacity && this.capacity < MAX_HELD;
  }

  grow(): void {
    this.resize(this.capacity * 2);
  }

  /** Makes room for so many readings; of more that are held, the newest stay. */
  resize(capacity: number): void {
    const order = this.#indices(Math.min(this.#held, capacity));
    const times = new Float64Array(capacity);
    const values = new Float64Array(capacity);
    const flags = new Uint8Array(capacity);
    for (const [to, from] of order.entries()) {
      times[to] = this.#times[from]!;
      values[to] = this.#values[from]!;
      flags[to] = this.#flags[from]!;
    }
    this.#times = times;
    this.#values = values;
    this.#flags = flags;
    this.capacity = capacity;
    this.#held = order.length;
    this.#next = order.length === capacity ? 0 : order.length;
  }

  add(reading: Reading): void {
    const { value } = reading;
    this.total++;
    if (typeof value === 'string') {
      this.#text = { value, time: reading.sourceTime, quality: reading.quality };
      return;
    }
    const next = this.#next;
    this.#times[next] = reading.sourceTime;
    this.#values[next] = asNumber(value);
    this.#flags[next] =
      reading.quality | (typeof value === 'boolean' ? BOOLEAN : 0) | (reading.provisional === true ? PROVISIONAL : 0);
    this.#next = next + 1 === this.capacity ? 0 : next + 1;
    if (this.#held < this.capacity) this.#held++;
  }

  /** The newest with this time. */
  mark(time: EpochMs, flag: number): void {
    const index = this.#indexOf(time);
    if (index !== undefined) this.#flags[index]! |= flag;
  }

  isMarked(time: EpochMs, flag: number): boolean {
    const index = this.#indexOf(time);
    return index !== undefined && (this.#flags[index]! & flag) !== 0;
  }

  /** Where the newest with this time lies. */
  #indexOf(time: EpochMs): number | undefined {
    for (let back = 1; back <= this.#held; back++) {
      const index = (this.#next - back + this.capacity) % this.capacity;
      if (this.#times[index] === time) return index;
    }
    return undefined;
  }

  settle(correct: (time: EpochMs) => EpochMs | undefined): void {
    for (const index of this.#indices(this.#held)) {
      const flags = this.#flags[index]!;
      if ((flags & PROVISIONAL) === 0) continue;
      const time = correct(this.#times[index]!);
      this.#times[index] = time ?? this.#times[index]!;
      const uncertain = time === undefined && (flags & QUALITY_BITS) === Quality.good ? Quality.uncertain : 0;
      this.#flags[index] = (flags & ~PROVISIONAL) | uncertain;
    }
  }

  beginRate(): void {
    this.rate = 0;
    this.#measured = 0;
    this.#totalAtMeasure = this.total;
  }

  measureRate(elapsedMs: number): void {
    if (elapsedMs <= 0) return;
    const now = ((this.total - this.#totalAtMeasure) * 1000) / elapsedMs;
    this.#measured = Math.min(RATE_MEMORY, this.#measured + 1);
    this.rate += (now - this.rate) / this.#measured;
    // A series that has fallen silent has no rate, however small.
    if (this.rate < 0.001) this.rate = 0;
    this.#totalAtMeasure = this.total;
  }

  rows(from: EpochMs, to: EpochMs, limit: number): ReadingRow[] {
    const rows: ReadingRow[] = [];
    for (const index of this.#indices(this.#held)) {
      const sourceTime = this.#times[index]!;
      if (sourceTime >= from && sourceTime < to) rows.push(this.#row(index));
    }
    const text = this.#text;
    if (text !== undefined && text.time >= from && text.time < to) {
      rows.push({ sourceTime: text.time, value: text.value, quality: qualityName(text.quality), anomaly: false });
    }
    return rows.slice(-limit);
  }

  #row(index: number): ReadingRow {
    const flags = this.#flags[index]!;
    const value = this.#values[index]!;
    return {
      sourceTime: this.#times[index]!,
      value: (flags & BOOLEAN) === 0 ? value : value !== 0,
      quality: qualityName((flags & QUALITY_BITS) as Quality),
      anomaly: (flags & ANOMALY) !== 0,
    };
  }

  /** Where the newest `count` readings lie, oldest first. */
  #indices(count: number): number[] {
    const first = this.#next - count + this.capacity;
    return Array.from({ length: count }, (_, i) => (first + i) % this.capacity);
  }
}
