import type { EpochMs } from '../../core/clock.ts';
import { Quality } from '../../core/quality.ts';
import { listOf, numbersOf } from '../snapshot.ts';
import type { Layout } from './layout.ts';
import type { Numbers, Part } from './part.ts';
import { Quantiles } from './quantiles.ts';
import { Timeline } from './timeline.ts';

/** Places of the counts, which every accumulator begins with. */
const COUNT = 0;
const READINGS = 1;
const GOOD = 2;

/**
 * The state of one window for one series. Incremental and mergeable.
 *
 * A reading of bad quality counts for the share of good readings only: its value is not trusted. A reading of uncertain
 * quality takes part in every aggregate.
 */
export class Accumulator {
  readonly numbers: Numbers;
  readonly quantiles: Quantiles | undefined;
  readonly timeline: Timeline | undefined;
  readonly #layout: Layout;

  constructor(layout: Layout) {
    this.#layout = layout;
    // A copy keeps doubles as they are, where a new list would box them.
    this.numbers = layout.initial.slice();
    this.quantiles = layout.quantiles ? new Quantiles() : undefined;
    this.timeline = layout.timeline === undefined ? undefined : new Timeline(layout.timeline);
  }

  /** Values that were aggregated. */
  get count(): number {
    return this.numbers[COUNT]!;
  }

  /** Readings of any quality. */
  get readings(): number {
    return this.numbers[READINGS]!;
  }

  /** Readings of good quality. */
  get good(): number {
    return this.numbers[GOOD]!;
  }

  /** Reads what `add` will look for, and changes nothing; see `Stage.warm`. */
  warm(): number {
    return this.numbers[COUNT]! + (this.timeline === undefined ? 0 : this.timeline.warm());
  }

  /** @param value finite */
  add(value: number, quality: Quality, time: EpochMs): void {
    const { numbers } = this;
    numbers[READINGS]!++;
    if (quality === Quality.bad) return;
    if (quality === Quality.good) numbers[GOOD]!++;
    numbers[COUNT]!++;
    const { sum, spread, extent, ends } = this.#layout;
    if (sum !== undefined) sum.add(numbers, value);
    if (spread !== undefined) spread.add(numbers, value);
    if (extent !== undefined) extent.add(numbers, value);
    if (ends !== undefined) ends.add(numbers, value, time);
    if (this.quantiles !== undefined) this.quantiles.add(value);
    if (this.timeline !== undefined) this.timeline.add(value, time);
  }

  /** Takes in an accumulator that has at least the same parts, and whose readings arrived later; that one stays as it is. */
  merge(later: Accumulator): void {
    for (const place of [COUNT, READINGS, GOOD]) this.numbers[place]! += later.numbers[place]!;
    const others = partsOf(later.#layout);
    for (const [i, part] of partsOf(this.#layout).entries()) {
      const other = others[i];
      if (part !== undefined && other !== undefined) part.merge(this.numbers, later.numbers, other.at);
    }
    if (later.quantiles !== undefined) this.quantiles?.merge(later.quantiles);
    if (later.timeline !== undefined) this.timeline?.merge(later.timeline);
  }

  snapshot(): unknown {
    const { numbers } = this;
    return [
      [this.count, this.readings, this.good],
      ...partsOf(this.#layout).map((part) => part && numbers.slice(part.at, part.at + part.initial.length)),
      this.quantiles?.snapshot(),
      this.timeline?.snapshot(),
    ];
  }

  restore(snapshot: unknown): void {
    const [counts, ...parts] = listOf(snapshot, 'a window');
    this.#put(0, numbersOf(counts, 3, 'the counts of a window'));
    for (const [i, part] of partsOf(this.#layout).entries()) {
      if (part !== undefined) this.#put(part.at, numbersOf(parts[i], part.initial.length, 'the numbers of a window'));
    }
    this.quantiles?.restore(parts[PARTS]);
    this.timeline?.restore(parts[PARTS + 1]);
  }

  #put(at: number, numbers: readonly number[]): void {
    for (let i = 0; i < numbers.length; i++) this.numbers[at + i] = numbers[i]!;
  }
}

/** How many there are at the most: see `partsOf`. */
const PARTS = 4;

/** In the order of a snapshot. */
function partsOf({ sum, spread, extent, ends }: Layout): readonly (Part | undefined)[] {
  return [sum, spread, extent, ends];
}
