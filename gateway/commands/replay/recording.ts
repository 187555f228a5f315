import type { Configuration } from '../../../config/configuration.ts';
import { SeriesRegistry } from '../../base/series-registry.ts';
import { type Division, KEY_GROUPS } from '../../catalog/key-groups.ts';
import { makeNormaliser } from '../../catalog/stages.ts';
import type { EpochMs } from '../../core/clock.ts';
import type { Quality } from '../../core/quality.ts';
import type { Series, SeriesIdentity, Value } from '../../core/reading.ts';
import { count } from '../count.ts';
import { type Analysed, type Analyst, addDerived, type Derived } from './analyst.ts';
import { merge } from './merge.ts';
import { type Portion, PortionWriter, ROUND_READINGS } from './portion.ts';
import type { RecordedTarget } from './recorded-input.ts';

/** Rejections that are named one by one; of the others only the number is told. */
const MAX_NAMED_REJECTIONS = 10;
const NOTHING = new Uint8Array(0);

/** An analyst, and what has been gathered for it. */
interface Seat {
  readonly analyst: Analyst;
  readonly writer: PortionWriter;
}

/** Where the readings of a series go. */
interface Way {
  readonly seat: Seat;
  /** Number of the series there. */
  readonly number: number;
}

/** What a recording is put together from. */
export interface RecordingParts {
  readonly configuration: Configuration;
  readonly division: Division;
  /** At least one; each has to be new. */
  readonly analysts: readonly Analyst[];
  /** Readings that are divided at a time, at most `ROUND_READINGS`. @default `ROUND_READINGS` */
  readonly roundReadings?: number;
}

/** Results that are being made: in the end NDJSON, or the fault that has come in between. */
type Results = Promise<Uint8Array | Error>;

/**
 * The readings of a recording on their way: checked and divided among analysts; and their results on the way back, in
 * the order of the readings, whoever has analysed which.
 */
export class Recording implements RecordedTarget {
  readonly #registry: SeriesRegistry;
  readonly #normaliser: ReturnType<typeof makeNormaliser>;
  readonly #division: Division;
  readonly #seats: readonly Seat[];
  readonly #roundReadings: number;
  /** By key. Groups are given in turn, so that analysts have as many each. */
  readonly #groups = new Map<string, number>();
  /** By series id. */
  readonly #ways: (Way | undefined)[] = [];
  readonly #rejections: string[] = [];
  readonly #results: Results[] = [];
  /** Readings in the round so far. */
  #place = 0;
  #received = 0;
  #rejected = 0;
  /** Readings in all rounds before. */
  #before = 0;

  constructor({ configuration, division, analysts, roundReadings = ROUND_READINGS }: RecordingParts) {
    this.#roundReadings = roundReadings;
    this.#registry = new SeriesRegistry(configuration.storage.maxSeries);
    this.#normaliser = makeNormaliser(configuration);
    this.#division = division;
    this.#seats = analysts.map((analyst) => ({ analyst, writer: new PortionWriter() }));
  }

  /** Readings so far, with those that were refused. */
  get received(): number {
    return this.#received;
  }

  /** How many `nextResults` are on their way. */
  get pending(): number {
    return this.#results.length;
  }

  series(identity: SeriesIdentity): Series | string {
    return this.#registry.intern(identity);
  }

  reading(series: Series, value: Value, quality: Quality, sourceTime: EpochMs): void {
    const problem = this.#normaliser.normalise(series, value, quality, sourceTime, undefined);
    if (problem !== undefined) {
      this.reject(`${series.device}/${series.metric}`, problem);
      return;
    }
    this.#received++;
    const taken = this.#normaliser.value;
    const { seat, number } = this.#ways[series.id] ?? this.#findWay(series);
    seat.writer.add(number, this.#place++, taken, quality, sourceTime);
    if (this.#place === this.#roundReadings) this.#endRound();
  }

  reject(subject: string, reason: string): void {
    this.#received++;
    this.#rejected++;
    if (this.#rejections.length < MAX_NAMED_REJECTIONS) this.#rejections.push(`${subject}: ${reason}`);
  }

  /** The recording is over: what is still open gives its results, group by group. */
  end(): void {
    this.#endRound();
    for (let group = 0; group < Math.min(this.#groups.size, KEY_GROUPS); group++) {
      this.#results.push(this.#seatOf(group).analyst.finish(group));
    }
  }

  /**
   * The results that follow, as NDJSON.
   * @throws whatever an analyst has failed with
   */
  async nextResults(): Promise<Uint8Array> {
    const results = await this.#results.shift();
    if (results instanceof Error) throw results;
    return results ?? NOTHING;
  }

  async summary(): Promise<string> {
    const sum = { aggregated: 0, filtered: 0, duplicate: 0, late: 0 };
    const derived = new Map<string, Derived>();
    for (const { analyst } of this.#seats) {
      const fates = await analyst.fates();
      if (fates instanceof Error) throw fates;
      sum.aggregated += fates.aggregated;
      sum.filtered += fates.filtered;
      sum.duplicate += fates.duplicate;
      sum.late += fates.late;
      for (const [name, more] of fates.derived) addDerived(derived, name, more);
    }
    const counts = `${count(this.#received, 'reading')}: ${sum.aggregated} aggregated, ${sum.filtered} filtered, ${sum.duplicate} duplicate, ${sum.late} late, ${this.#rejected} rejected`;
    const unnamed = this.#rejected - this.#rejections.length;
    return [
      counts,
      ...this.#rejections,
      ...(unnamed > 0 ? [`and ${unnamed} more`] : []),
      ...[...derived].map(told),
    ].join('\n');
  }

  #endRound(): void {
    const before = this.#before;
    this.#before += this.#place;
    this.#place = 0;
    const parts: Promise<Analysed | Error>[] = [];
    for (const seat of this.#seats) {
      const portion = seat.writer.take(before);
      if (portion !== undefined) parts.push(analyse(seat, portion));
    }
    if (parts.length > 0) this.#results.push(mergeAll(parts));
  }

  #findWay(series: Series): Way {
    const key = this.#division.keyOf(series);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = this.#division.undivided === undefined ? this.#groups.size % KEY_GROUPS : 0;
      this.#groups.set(key, group);
    }
    const seat = this.#seatOf(group);
    const { device, metric, tags, unit } = series;
    const way = { seat, number: seat.writer.introduce({ device, metric, tags, unit, group }) };
    // Series get their first reading in any order; filled densely, so that V8 keeps the array fast.
    while (this.#ways.length < series.id) this.#ways.push(undefined);
    this.#ways[series.id] = way;
    return way;
  }

  #seatOf(group: number): Seat {
    return this.#seats[group % this.#seats.length]!;
  }
}

async function analyse({ analyst, writer }: Seat, portion: Portion): Promise<Analysed | Error> {
  const analysed = await analyst.analyse(portion);
  if (!(analysed instanceof Error)) writer.recycle(analysed.buffer);
  return analysed;
}

async function mergeAll(parts: readonly Promise<Analysed | Error>[]): Results {
  const analysed: Analysed[] = [];
  for (const part of await Promise.all(parts)) {
    if (part instanceof Error) return part;
    analysed.push(part);
  }
  return merge(analysed);
}

function told([name, { readings, uncomputed }]: [string, Derived]): string {
  return `${name}: ${count(readings, 'reading')}${uncomputed > 0 ? `, ${uncomputed} more could not be computed` : ''}`;
}
