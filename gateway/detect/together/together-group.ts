import type { EpochMs } from '../../core/clock.ts';
import type { Detector, Verdict } from '../../core/detector.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Reading, Series } from '../../core/reading.ts';
import type { Emit } from '../../core/stage.ts';
import { Judge, type JudgeSnapshot } from '../judge.ts';
import { newVerdict } from '../verdict.ts';
import { AsOfVector } from './as-of-vector.ts';
import type { JointDetector } from './joint-detector.ts';
import type { ReadyTogether } from './together-rule.ts';

/** Channels whose share in what is strange is told: those with at least so much of it, and so many. */
const LEAST_SHARE_TOLD = 0.1;
const MOST_SHARES_TOLD = 3;

/** Plain data of a group. */
export interface GroupSnapshot {
  /** Keys of the series, by place. */
  readonly channels: readonly string[];
  readonly vector: unknown;
  readonly judge: JudgeSnapshot;
  readonly stamped: boolean;
}

interface Channel {
  readonly key: string;
  /** Undefined where an earlier process knew it and this one does not yet. */
  series: Series | undefined;
}

/** Told of each reading that stands out in an anomaly; must not throw. */
export type OnAnomaly = (reading: Pick<Reading, 'series' | 'sourceTime'>, verdict: Verdict) => void;

/** Series that a rule judges together: their alignment, their detector and its alarm. */
export class TogetherGroup {
  readonly rule: ReadyTogether;
  readonly key: string;
  /** By place. */
  readonly #channels: Channel[] = [];
  readonly #vector: AsOfVector;
  readonly #seat: JointSeat;
  #judge: Judge;
  /** Whether the gateway's clock has said the time of a reading, as its device has none. */
  #stamped = false;

  constructor(rule: ReadyTogether, key: string) {
    this.rule = rule;
    this.key = key;
    this.#vector = new AsOfVector(rule.maxAgeMs);
    this.#seat = new JointSeat(rule.createDetector, (place) => this.#wordsOf(place));
    this.#judge = this.#newJudge();
  }

  get size(): number {
    return this.#channels.length;
  }

  /** Time of the last moment that was judged; −∞ before the first. */
  get lastTime(): EpochMs {
    return this.#vector.momentTime;
  }

  get stamped(): boolean {
    return this.#stamped;
  }

  /** The active alarm; see `Judge`. */
  get active(): Judge['active'] {
    return this.#judge.active;
  }

  /** See `Judge`. */
  get isLearning(): boolean {
    return this.#judge.isLearning;
  }

  /** What its alarms are known by, without their times. */
  get condition(): string {
    return `${this.rule.name}@${this.key}`;
  }

  /** See `Judge`. */
  dismiss(id: string): boolean {
    return this.#judge.dismiss(id);
  }

  /** The place of a series, a new one where it is new. */
  placeOf(series: Series): number {
    const known = this.#channels.findIndex(({ key }) => key === series.key);
    if (known >= 0) {
      this.#channels[known]!.series = series;
      return known;
    }
    this.#channels.push({ key: series.key, series });
    this.#vector.addChannel();
    this.#seat.detector.addChannel();
    return this.size - 1;
  }

  /** Whether it knows a series of this key. */
  knows(key: string): boolean {
    return this.#channels.some((channel) => channel.key === key);
  }

  /** Takes a reading, and judges each moment that is complete by it; false where it is not newer than the last of its series. */
  take(place: number, value: number, reading: Reading, emit: Emit, onAnomaly: OnAnomaly | undefined): boolean {
    const vector = this.#vector;
    const time = reading.sourceTime;
    if (vector.beginsAnother(place, time)) this.#judgeMoment(reading.series, emit, onAnomaly);
    if (!vector.take(place, value, time)) return false;
    this.#stamped = reading.stamped === true;
    if (vector.isComplete) this.#judgeMoment(reading.series, emit, onAnomaly);
    return true;
  }

  /** Judgements live on event time; where that went back they begin anew. */
  beginAnew(): void {
    this.#vector.beginAnew();
    this.#seat.renew(this.size);
    this.#judge = this.#newJudge();
  }

  snapshot(): GroupSnapshot {
    return {
      channels: this.#channels.map(({ key }) => key),
      vector: this.#vector.snapshot(),
      judge: this.#judge.snapshot(),
      stamped: this.#stamped,
    };
  }

  /** Into a new group; throws a `GatewayError` where it cannot be read. */
  restore({ channels, vector, judge, stamped }: GroupSnapshot, findSeries: (key: string) => Series | undefined): void {
    for (const key of channels) {
      this.#channels.push({ key, series: findSeries(key) });
      this.#vector.addChannel();
    }
    this.#judge.restore(judge);
    if (!this.#vector.restore(vector) || this.#seat.detector.size !== this.size) {
      throw new GatewayError(`Cannot restore the series judged together as ${this.key}: the snapshot has other parts`);
    }
    this.#stamped = stamped;
  }

  #judgeMoment(completing: Series, emit: Emit, onAnomaly: OnAnomaly | undefined): void {
    const vector = this.#vector;
    if (!vector.complete()) return;
    const verdict = this.#seat.judgeMoment(vector.moment, vector.momentTime);
    const { leader } = this.#seat.detector;
    const raised = this.active?.raised.series.key;
    // What is told of an alarm that is active is told of the series that it was raised for.
    const place = raised === undefined ? leader : this.#channels.findIndex(({ key }) => key === raised);
    const series = this.#channels[place]?.series ?? completing;
    this.#judge.judge(series, vector.valueOf(Math.max(place, 0)), vector.momentTime, emit);
    const strangest = this.#channels[leader]?.series;
    if (verdict.anomaly && strangest !== undefined) {
      onAnomaly?.({ series: strangest, sourceTime: vector.timeOf(leader) }, verdict);
    }
  }

  #newJudge(): Judge {
    return new Judge({ ...this.rule, createDetector: () => this.#seat }, this.key);
  }

  #wordsOf(place: number): ChannelWords {
    const { series, key } = this.#channels[place]!;
    const devices = new Set(this.#channels.map((channel) => channel.series?.device));
    return { name: devices.size === 1 && series !== undefined ? series.metric : key, unit: series?.unit };
  }
}

/** What a channel is called among the others of its group. */
interface ChannelWords {
  readonly name: string;
  readonly unit: string | undefined;
}

/** A joint detector as the judge of one alarm sees it: the moment has been judged before, and the value says nothing more. */
class JointSeat implements Detector {
  readonly #create: () => JointDetector;
  readonly #wordsOf: (place: number) => ChannelWords;
  #detector: JointDetector;
  #verdict: Verdict = newVerdict();
  /** How many channels were known at the last moment. */
  #known = 0;

  constructor(create: () => JointDetector, wordsOf: (place: number) => ChannelWords) {
    this.#create = create;
    this.#wordsOf = wordsOf;
    this.#detector = create();
  }

  get detector(): JointDetector {
    return this.#detector;
  }

  /** Puts a detector that has learnt nothing in its place. */
  renew(channels: number): void {
    this.#detector = this.#create();
    for (let place = 0; place < channels; place++) this.#detector.addChannel();
  }

  judgeMoment(values: Float64Array, time: EpochMs): Verdict {
    this.#known = 0;
    for (const value of values) if (!Number.isNaN(value)) this.#known++;
    this.#verdict = this.#detector.judge(values, time);
    return this.#verdict;
  }

  judge(): Verdict {
    return this.#verdict;
  }

  expected(): string {
    return this.#detector.expected();
  }

  /** With the shares of those that stand out most: `is 30.9, on average 31.2 (flow 71 %, current 20 % of what is strange in 3 series together)`. */
  seen(): string {
    const { size } = this.#detector;
    const shares = Array.from({ length: size }, (_, place) => ({ place, share: this.#detector.shareOf(place) }))
      .filter(({ share }) => share >= LEAST_SHARE_TOLD)
      .sort((a, b) => b.share - a.share || a.place - b.place)
      .slice(0, MOST_SHARES_TOLD)
      .map(({ place, share }) => `${this.#wordsOf(place).name} ${Math.round(100 * share)} %`);
    const seen = this.#detector.seen(this.#wordsOf(this.#detector.leader).unit);
    const known = this.#known === size ? `${size} series` : `${this.#known} of ${size} series`;
    return `${seen} (${shares.join(', ')} of what is strange in ${known} together)`;
  }

  accept(): boolean {
    return this.#detector.accept();
  }

  snapshot(): unknown {
    return this.#detector.snapshot();
  }

  restore(snapshot: unknown): void {
    this.#detector.restore(snapshot);
  }
}
