import { GatewayError } from '../../core/errors.ts';
import { Accumulator, type Parts } from './accumulator.ts';

/** How an aggregate is read from an accumulator that holds at least one value; undefined where a double cannot hold it. */
type Read = (accumulator: Accumulator) => number | undefined;

interface Kind {
  readonly part: keyof Parts | undefined;
  readonly read: Read;
}

const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['count', { part: undefined, read: (a) => a.count }],
  ['sum', { part: 'sum', read: (a) => a.sum?.sum() }],
  ['mean', { part: 'sum', read: (a) => a.sum?.mean(a.count) }],
  ['min', { part: 'extent', read: (a) => a.extent?.min }],
  ['max', { part: 'extent', read: (a) => a.extent?.max }],
  ['range', { part: 'extent', read: (a) => a.extent?.range() }],
  ['first', { part: 'ends', read: (a) => a.ends?.first }],
  ['last', { part: 'ends', read: (a) => a.ends?.last }],
  ['stddev', { part: 'spread', read: (a) => a.spread?.stddev() }],
  ['variance', { part: 'spread', read: (a) => a.spread?.variance() }],
  ['median', { part: 'quantiles', read: (a) => a.quantiles?.at(0.5) }],
]);

/** The aggregates with fixed names; besides them there are the percentiles, see `percentilePattern`. */
export const aggregateNames: readonly string[] = [...KINDS.keys()];

/** Source of a regular expression for the percentiles: `p0` to `p100`, with up to three decimals, as in `p99.9`. */
export const percentilePattern = '^p(100|[1-9]?[0-9](\\.[0-9]{1,3})?)$';

const PERCENTILE = new RegExp(percentilePattern);

/** Whether a configuration may ask for this aggregate. */
export function isAggregate(name: string): boolean {
  return KINDS.has(name) || PERCENTILE.test(name);
}

/** The aggregates that one window definition asks for, resolved once. */
export class AggregatePlan {
  readonly names: readonly string[];
  readonly #parts: Parts;
  readonly #reads: readonly Read[];

  /** @throws GatewayError for a name that is no aggregate, and for an empty list */
  constructor(names: readonly string[]) {
    if (names.length === 0)
      throw new GatewayError('Cannot aggregate: the list of aggregates is empty', { hint: ALLOWED });
    this.names = [...new Set(names)];
    const kinds = this.names.map(kindOf);
    const needs = (part: keyof Parts) => kinds.some((kind) => kind.part === part);
    this.#parts = {
      sum: needs('sum'),
      spread: needs('spread'),
      extent: needs('extent'),
      ends: needs('ends'),
      quantiles: needs('quantiles'),
    };
    this.#reads = kinds.map((kind) => kind.read);
  }

  /** A fresh accumulator. */
  accumulator(): Accumulator {
    return new Accumulator(this.#parts);
  }

  /**
   * The aggregates by name, each finite. A number that is beyond the largest double (the sum of huge values) is left out; without any
   * value there is only `count`.
   */
  fields(accumulator: Accumulator): Record<string, number> {
    const fields: Record<string, number> = {};
    for (let i = 0; i < this.names.length; i++) {
      const name = this.names[i]!;
      const value = accumulator.count === 0 && name !== 'count' ? undefined : this.#reads[i]!(accumulator);
      if (value !== undefined) fields[name] = value;
    }
    return fields;
  }
}

const ALLOWED = `Allowed are ${[...KINDS.keys()].join(', ')} and percentiles such as p95 or p99.9.`;

function kindOf(name: string): Kind {
  const kind = KINDS.get(name);
  if (kind !== undefined) return kind;
  if (!PERCENTILE.test(name)) {
    throw new GatewayError(`Cannot aggregate ${JSON.stringify(name)}: there is no such aggregate`, { hint: ALLOWED });
  }
  const quantile = Number(name.slice(1)) / 100;
  return { part: 'quantiles', read: (a) => a.quantiles?.at(quantile) };
}
