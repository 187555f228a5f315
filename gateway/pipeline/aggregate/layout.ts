import { Ends } from './ends.ts';
import { Extent } from './extent.ts';
import type { Numbers } from './part.ts';
import { Spread } from './spread.ts';
import { Sum } from './sum.ts';
import type { TimelineOptions } from './timeline.ts';

/** Which parts the chosen aggregates need; what several of them need is kept once. */
export interface Needs {
  readonly sum: boolean;
  readonly spread: boolean;
  readonly extent: boolean;
  readonly ends: boolean;
  readonly quantiles: boolean;
  /** Undefined where no aggregate depends on the order of the readings. */
  readonly timeline: TimelineOptions | undefined;
}

/** The three counts that every accumulator begins with; one is written as no whole number, so that the list is one of doubles from the start. */
const COUNTS: readonly number[] = [0.5, 0, 0];

/** Where the parts of an accumulator are among its numbers: one for all accumulators of a window definition. */
export class Layout {
  readonly sum: Sum | undefined;
  readonly spread: Spread | undefined;
  readonly extent: Extent | undefined;
  readonly ends: Ends | undefined;
  readonly quantiles: boolean;
  readonly timeline: TimelineOptions | undefined;
  /** The numbers of an empty accumulator, to be copied. */
  readonly initial: Numbers;

  constructor({ sum, spread, extent, ends, quantiles, timeline }: Needs) {
    const initial = COUNTS.slice();
    const place = <T extends { readonly initial: readonly number[] }>(part: T): T => {
      initial.push(...part.initial);
      return part;
    };
    this.sum = sum ? place(new Sum(initial.length)) : undefined;
    this.spread = spread ? place(new Spread(initial.length)) : undefined;
    this.extent = extent ? place(new Extent(initial.length)) : undefined;
    this.ends = ends ? place(new Ends(initial.length)) : undefined;
    initial[0] = 0;
    this.initial = initial;
    this.quantiles = quantiles;
    this.timeline = timeline;
  }
}
