import type { EpochMs } from '../../core/clock.ts';
import { Quality } from '../../core/quality.ts';
import { listOf, numbersOf } from '../snapshot.ts';
import { Ends } from './ends.ts';
import { Extent } from './extent.ts';
import { Quantiles } from './quantiles.ts';
import { Spread } from './spread.ts';
import { Sum } from './sum.ts';
import { Timeline, type TimelineOptions } from './timeline.ts';

/** Which parts the chosen aggregates need; parts that several of them need are kept once. */
export interface Parts {
  readonly sum: boolean;
  readonly spread: boolean;
  readonly extent: boolean;
  readonly ends: boolean;
  readonly quantiles: boolean;
  /** Undefined where no aggregate depends on the order of the readings. */
  readonly timeline: TimelineOptions | undefined;
}

/**
 * The state of one window for one series. Incremental and mergeable.
 *
 * A reading of bad quality counts for the share of good readings only: its value is not trusted. A reading of uncertain
 * quality takes part in every aggregate.
 */
export class Accumulator {
  /** Values that were aggregated. */
  count = 0;
  /** Readings of any quality. */
  readings = 0;
  /** Readings of good quality. */
  good = 0;
  readonly sum: Sum | undefined;
  readonly spread: Spread | undefined;
  readonly extent: Extent | undefined;
  readonly ends: Ends | undefined;
  readonly quantiles: Quantiles | undefined;
  readonly timeline: Timeline | undefined;

  constructor(parts: Parts) {
    this.sum = parts.sum ? new Sum() : undefined;
    this.spread = parts.spread ? new Spread() : undefined;
    this.extent = parts.extent ? new Extent() : undefined;
    this.ends = parts.ends ? new Ends() : undefined;
    this.quantiles = parts.quantiles ? new Quantiles() : undefined;
    this.timeline = parts.timeline === undefined ? undefined : new Timeline(parts.timeline);
  }

  /** @param value finite */
  add(value: number, quality: Quality, time: EpochMs): void {
    this.readings++;
    if (quality === Quality.bad) return;
    if (quality === Quality.good) this.good++;
    this.count++;
    if (this.sum !== undefined) this.sum.add(value);
    if (this.spread !== undefined) this.spread.add(value);
    if (this.extent !== undefined) this.extent.add(value);
    if (this.ends !== undefined) this.ends.add(value, time);
    if (this.quantiles !== undefined) this.quantiles.add(value);
    if (this.timeline !== undefined) this.timeline.add(value, time);
  }

  /** Takes over an accumulator with the same parts, whose readings arrived later. */
  merge(later: Accumulator): void {
    this.count += later.count;
    this.readings += later.readings;
    this.good += later.good;
    if (later.sum !== undefined) this.sum?.merge(later.sum);
    if (later.spread !== undefined) this.spread?.merge(later.spread);
    if (later.extent !== undefined) this.extent?.merge(later.extent);
    if (later.ends !== undefined) this.ends?.merge(later.ends);
    if (later.quantiles !== undefined) this.quantiles?.merge(later.quantiles);
    if (later.timeline !== undefined) this.timeline?.merge(later.timeline);
  }

  snapshot(): unknown {
    return [
      [this.count, this.readings, this.good],
      this.sum?.snapshot(),
      this.spread?.snapshot(),
      this.extent?.snapshot(),
      this.ends?.snapshot(),
      this.quantiles?.snapshot(),
      this.timeline?.snapshot(),
    ];
  }

  restore(snapshot: unknown): void {
    const [counts, sum, spread, extent, ends, quantiles, timeline] = listOf(snapshot, 'a window');
    const [count, readings, good] = numbersOf(counts, 3, 'the counts of a window');
    this.count = count!;
    this.readings = readings!;
    this.good = good!;
    this.sum?.restore(sum);
    this.spread?.restore(spread);
    this.extent?.restore(extent);
    this.ends?.restore(ends);
    this.quantiles?.restore(quantiles);
    this.timeline?.restore(timeline);
  }
}
