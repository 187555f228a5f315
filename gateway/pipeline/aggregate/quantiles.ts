import { LogCollapsingLowestDenseDDSketch as Sketch } from '@datadog/sketches-js';
import { listOf, numberOf, numbersOf, recordOf, unreadable } from '../snapshot.ts';

type Store = Sketch['store'];

/** Up to this many values are kept as they are and give exact quantiles; beyond, a sketch takes their place. */
export const EXACT_VALUES = 64;

/** The relative error of each order statistic that the sketch returns. */
export const RELATIVE_ACCURACY = 0.01;

/** Bins of the sketch for each sign. 2048 bins cover 17 decimal orders of magnitude; values that are smaller still share the lowest. */
const BIN_LIMIT = 2048;

/**
 * Quantiles in bounded memory. A quantile between two order statistics is interpolated linearly (Hyndman and Fan's type 7, as in
 * numpy and spreadsheets). With up to 64 values it is exact; with more, each order statistic is within 1 % of its value,
 * as long as it is no more than 10^17 times smaller than the largest value of its sign. The least and the greatest stay exact.
 *
 * Source: C. Masson, J. E. Rim, H. K. Lee, "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error Guarantees",
 * PVLDB 12, 2019.
 */
export class Quantiles {
  #values: number[] = [];
  #sketch: Sketch | undefined;

  add(value: number): void {
    if (this.#sketch !== undefined) {
      this.#sketch.accept(value);
      return;
    }
    this.#values.push(value);
    if (this.#values.length > EXACT_VALUES) this.#condense();
  }

  /** Takes over the values of another. */
  merge(other: Quantiles): void {
    if (other.#sketch === undefined) {
      for (const value of other.#values) this.add(value);
      return;
    }
    this.#condense();
    mergeSketch(this.#sketch!, other.#sketch);
  }

  /**
   * The value below which the share `quantile` of all values lies; undefined without values.
   * @param quantile from 0 to 1
   */
  at(quantile: number): number | undefined {
    const sketch = this.#sketch;
    const count = sketch?.count ?? this.#values.length;
    if (count === 0) return undefined;
    const rank = quantile * (count - 1);
    const below = Math.floor(rank);
    const share = rank - below;
    if (sketch === undefined) {
      const sorted = Float64Array.from(this.#values).sort();
      return interpolate(sorted[below]!, sorted[below + 1] ?? sorted[below]!, share);
    }
    const low = valueAt(sketch, below);
    return share === 0 ? low : interpolate(low, valueAt(sketch, below + 1), share);
  }

  snapshot(): unknown {
    if (this.#sketch === undefined) return this.#values.slice();
    const { store, negativeStore, zeroCount, min, max, count, sum } = this.#sketch;
    return {
      totals: [zeroCount, min, max, count, sum],
      positive: storeSnapshot(store),
      negative: storeSnapshot(negativeStore),
    };
  }

  restore(snapshot: unknown): void {
    this.#sketch = undefined;
    if (Array.isArray(snapshot)) {
      this.#values = [...numbersOf(snapshot, Math.min(snapshot.length, EXACT_VALUES), 'the quantiles of a window')];
      return;
    }
    const { totals, positive, negative } = recordOf(snapshot, 'the quantiles of a window');
    const [zeroCount, min, max, count, sum] = numbersOf(totals, 5, 'the quantiles of a window');
    const sketch = newSketch();
    restoreStore(sketch.store, positive);
    restoreStore(sketch.negativeStore, negative);
    Object.assign(sketch, { zeroCount, min, max, count, sum });
    this.#values = [];
    this.#sketch = sketch;
  }

  #condense(): void {
    if (this.#sketch !== undefined) return;
    const sketch = newSketch();
    for (const value of this.#values) sketch.accept(value);
    this.#values = [];
    this.#sketch = sketch;
  }
}

function newSketch(): Sketch {
  return new Sketch({ relativeAccuracy: RELATIVE_ACCURACY, binLimit: BIN_LIMIT });
}

/** The value of the given rank, from 0; the library's own look-up takes a share, which rounding can turn into a neighbouring rank. */
function valueAt(sketch: Sketch, rank: number): number {
  if (rank === 0) return sketch.min;
  if (rank === sketch.count - 1) return sketch.max;
  const { mapping, negativeStore, store, zeroCount } = sketch;
  let value = 0;
  if (rank < negativeStore.count) {
    value = -mapping.value(negativeStore.keyAtRank(negativeStore.count - rank - 1, false));
  } else if (rank >= negativeStore.count + zeroCount) {
    value = mapping.value(store.keyAtRank(rank - negativeStore.count - zeroCount));
  }
  return Math.min(sketch.max, Math.max(sketch.min, value));
}

/** Not `a + (b - a) * share`, which overflows between values of opposite sign. */
function interpolate(a: number, b: number, share: number): number {
  return a === b ? a : a * (1 - share) + b * share;
}

/** Bin by bin, as the library's `merge` forgets negative values and fails where the highest key is 0 (version 2.1.1). */
function mergeSketch(into: Sketch, from: Sketch): void {
  mergeStore(into.store, from.store);
  mergeStore(into.negativeStore, from.negativeStore);
  into.zeroCount += from.zeroCount;
  into.count += from.count;
  into.sum += from.sum;
  into.min = Math.min(into.min, from.min);
  into.max = Math.max(into.max, from.max);
}

function mergeStore(into: Store, from: Store): void {
  for (let key = from.maxKey; key >= from.minKey; key--) {
    const weight = from.bins[key - from.offset] ?? 0;
    if (weight > 0) into.add(key, weight);
  }
}

function storeSnapshot(store: Store): unknown {
  const { bins, count, minKey, maxKey, offset } = store;
  return { bins: Float64Array.from(bins), place: [count, minKey, maxKey, offset, isCollapsed(store) ? 1 : 0] };
}

function restoreStore(store: Store, snapshot: unknown): void {
  const { bins, place } = recordOf(snapshot, 'the quantiles of a window');
  if (!(bins instanceof Float64Array) || bins.length > BIN_LIMIT) throw unreadable('the quantiles of a window', bins);
  const [count, minKey, maxKey, offset, collapsed] = listOf(place, 'the quantiles of a window').map((number) =>
    numberOf(number, 'the quantiles of a window'),
  );
  Object.assign(store, { bins: Array.from(bins), count, minKey, maxKey, offset, isCollapsed: collapsed === 1 });
}

/** The library keeps this in the subclass that its types do not show. */
function isCollapsed(store: Store): boolean {
  return 'isCollapsed' in store && store.isCollapsed === true;
}
