import { type SeriesPattern, seriesPattern } from '../../base/series-pattern.ts';
import type { EpochMs } from '../../core/clock.ts';
import { GatewayError } from '../../core/errors.ts';
import type { DerivedAt } from '../../core/inspection.ts';
import { asNumber, type Reading, type Series, type SeriesIdentity } from '../../core/reading.ts';
import { type Deriver, Fate, type Outlet } from '../../core/stage.ts';
import { type TableRows, type Tables, tableRows } from '../enrich/tables.ts';
import { listOf, recordOf, textOf, unreadable } from '../snapshot.ts';
import { Expression, type Names } from './expression.ts';

/** A series that follows from another one, reading by reading. */
export interface DerivationSettings {
  /** Unique among all derivations. */
  readonly name: string;
  /** The series it is derived from: see `seriesPattern`. */
  readonly series: string;
  /** The metric of the derived series; device and tags are those of the series it is derived from. */
  readonly metric: string;
  readonly unit?: string | undefined;
  /** See `Expression`; the names are `DERIVATION_NAMES`. */
  readonly value: string;
}

/** What derivers find and make series with. */
export interface SeriesAccess {
  /** Finds the series of a snapshot again. */
  readonly find: (key: string) => Series | undefined;
  /** The derived series of an identity, or a sentence why there is none. */
  readonly derive: (identity: SeriesIdentity, unit: string | undefined) => Series | string;
  /** What expressions may name beside the series. */
  readonly tables: Tables;
}

/** What the expression of a derivation may name: the number (a boolean is 0 or 1), and what the series is called. */
export const DERIVATION_NAMES: Names = {
  value: 'double',
  device: 'string',
  metric: 'string',
  tags: 'map<string, string>',
};

interface DerivationContext extends Record<string, unknown> {
  value: number;
  device: string;
  metric: string;
  tags: Series['tags'];
}

const VERSION = 1;
const WHAT = 'a derivation';

/** What becomes of the readings of one series. */
interface Output {
  readonly input: Series;
  /** Or why there is none. */
  readonly series: Series | string;
  /** Undefined where there are no tables. */
  readonly rows: TableRows | undefined;
}

/**
 * Gives a derived reading for each reading of the series that a pattern names: value by expression, time and quality as they are. Without
 * state but for the series it has made. A text has no number: it is filtered.
 */
export class Derivation implements Deriver {
  readonly source: string;
  readonly nextDue = Number.POSITIVE_INFINITY;
  readonly #settings: DerivationSettings;
  readonly #matches: SeriesPattern;
  readonly #expression: Expression;
  readonly #access: SeriesAccess;
  /** By id of the series that is derived from; null for one that is not meant. */
  readonly #outputs: (Output | null | undefined)[] = [];
  readonly #made: Output[] = [];
  /** One object for all evaluations. */
  readonly #context: DerivationContext = { value: 0, device: '', metric: '', tags: {} };
  readonly #tableNames: readonly string[];

  /** @throws GatewayError for an expression that cannot be used */
  constructor(settings: DerivationSettings, access: SeriesAccess) {
    this.source = `derive:${settings.name}`;
    this.#settings = settings;
    this.#matches = seriesPattern(settings.series);
    this.#expression = compiled(settings.value, { ...DERIVATION_NAMES, ...access.tables.types }, this.source);
    this.#access = access;
    this.#tableNames = access.tables.names;
  }

  process(reading: Reading, outlet: Outlet): Fate {
    const { series: input, value, quality, sourceTime, receiveTime, stamped = false } = reading;
    let output = this.#outputs[input.id];
    if (output === undefined) output = this.#meet(input);
    if (output === null || typeof value === 'string') return Fate.filtered;
    const { series, rows } = output;
    if (typeof series === 'string') {
      outlet.fail(series);
      return Fate.filtered;
    }
    const context = this.#context;
    context.value = asNumber(value);
    context.device = input.device;
    context.metric = input.metric;
    context.tags = input.tags;
    rows?.fill(context, this.#tableNames);
    const derived = this.#expression.evaluate(context);
    if (derived === undefined) outlet.fail(`${this.#expression.problem}, for ${context.value} of ${input.key}`);
    else {
      outlet.derive({
        series,
        source: this.source,
        value: derived,
        quality,
        sourceTime,
        receiveTime,
        stamped,
        // The same members in the same order as in readings from a source, so that V8 knows one form of them.
        ahead: false,
        provisional: false,
      });
    }
    return Fate.aggregated;
  }

  /** Nothing here waits for a time. */
  advance(_now: EpochMs): void {
    return;
  }

  isDue(_now: EpochMs): boolean {
    return false;
  }

  /** Nor does the clock matter. */
  step(): void {
    return;
  }

  get derivedSeries(): number {
    return this.#made.length;
  }

  derivedAt({ id }: Series, time: EpochMs): readonly DerivedAt[] {
    const series = this.#outputs[id]?.series;
    if (typeof series !== 'object') return [];
    return [{ by: this.source, series: series.key, from: time, to: time, mayFollow: false }];
  }

  snapshot(): unknown {
    return { version: VERSION, form: this.#form, series: this.#made.map(({ input }) => input.key) };
  }

  restore(snapshot: unknown): void {
    const { version, form, series } = recordOf(snapshot, WHAT);
    if (version !== VERSION) throw unreadable(WHAT, `version ${String(version)}`);
    // Of another one nothing is lost: what it derives begins with the next reading.
    if (form !== this.#form) return;
    for (const key of listOf(series, WHAT)) {
      const known = this.#access.find(textOf(key, WHAT));
      if (known !== undefined) this.#meet(known);
    }
  }

  get #form(): string {
    const { series, metric } = this.#settings;
    return JSON.stringify([series, metric]);
  }

  #meet(input: Series): Output | null {
    const { metric, unit } = this.#settings;
    const output = this.#matches(input)
      ? {
          input,
          series: this.#access.derive({ device: input.device, metric, tags: input.tags }, unit),
          rows: tableRows(this.#access.tables, input),
        }
      : null;
    // Filled densely, so that V8 keeps the array fast.
    while (this.#outputs.length < input.id) this.#outputs.push(undefined);
    this.#outputs[input.id] = output;
    if (output !== null && typeof output.series !== 'string') this.#made.push(output);
    return output;
  }
}

/**
 * An expression of the configuration, ready to use.
 *
 * @throws GatewayError where it cannot be used
 */
export function compiled(text: string, names: Names, what: string): Expression {
  const expression = Expression.compile(text, names);
  if (expression instanceof Expression) return expression;
  const { message, hint } = expression;
  throw new GatewayError(`Cannot compute ${what} by ${JSON.stringify(text)}: ${message}`, { hint });
}
