import { Quality } from '../../core/quality.ts';
import { representable } from '../aggregate/magnitude.ts';
import { Sum } from '../aggregate/sum.ts';
import { listOf, numberOf } from '../snapshot.ts';
import type { SideAggregate } from './join-definition.ts';
import { type SideReading, worst } from './matcher.ts';

const WHAT = 'the window of a join';
/** One for all of them, as it has no state of its own. */
const SUM = new Sum(0);

/** What the readings of one series come to in the open window of a join. */
export class SideSummary {
  count = 0;
  readonly #sum = SUM.initial.slice();
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #first = 0;
  #last = 0;
  quality: Quality = Quality.good;
  stamped = false;

  add({ value, quality, stamped }: SideReading): void {
    if (this.count === 0) this.#first = value;
    this.count++;
    SUM.add(this.#sum, value);
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
    this.#last = value;
    this.quality = worst(this.quality, quality);
    this.stamped ||= stamped;
  }

  /** Of at least one reading; undefined where no double holds it. */
  of(aggregate: SideAggregate): number | undefined {
    switch (aggregate) {
      case 'count':
        return this.count;
      case 'sum':
        return SUM.sum(this.#sum);
      case 'mean':
        return representable(SUM.mean(this.#sum, this.count));
      case 'min':
        return this.#min;
      case 'max':
        return this.#max;
      case 'first':
        return this.#first;
      case 'last':
        return this.#last;
    }
  }

  snapshot(): unknown {
    const [sum, ...rounding] = this.#sum;
    return [this.count, sum, this.#min, this.#max, this.#first, this.#last, this.quality, this.stamped, ...rounding];
  }

  /** Reads one back. @throws GatewayError where it is none */
  static restored(snapshot: unknown): SideSummary {
    const [count, sum, min, max, first, last, quality, stamped, ...rounding] = listOf(snapshot, WHAT);
    const summary = new SideSummary();
    summary.count = numberOf(count, WHAT);
    // What an earlier release has added up knows of no rounding.
    [sum, ...rounding].forEach((number, i) => {
      summary.#sum[i] = numberOf(number, WHAT);
    });
    summary.#min = numberOf(min, WHAT);
    summary.#max = numberOf(max, WHAT);
    summary.#first = numberOf(first, WHAT);
    summary.#last = numberOf(last, WHAT);
    summary.quality = numberOf(quality, WHAT) as Quality;
    summary.stamped = stamped === true;
    return summary;
  }
}
