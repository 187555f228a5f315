import { GatewayError } from '../../core/errors.ts';
import type { Window } from '../../core/window.ts';
import { Accumulator } from './accumulator.ts';
import type { Course } from './course.ts';
import { Layout, type Needs } from './layout.ts';
import type { Numbers } from './part.ts';
import type { Interpolation } from './timeline.ts';

/** What the aggregates of one window are read from. */
interface WindowState {
  readonly accumulator: Accumulator;
  readonly numbers: Numbers;
  /** Undefined where no aggregate depends on the order of the readings. */
  readonly course: Course | undefined;
  readonly window: Window;
}

/** The parts of an accumulator. */
type Part = keyof Needs;
/** How an aggregate is read from an accumulator that holds at least one value; undefined where there is no such number. */
type Read = (state: WindowState, layout: Layout) => number | undefined;

interface Kind {
  readonly part: Part | undefined;
  readonly read: Read;
}

/** One that depends on the order of the readings. */
function ordered(read: (course: Course, window: Window) => number | undefined): Kind {
  return { part: 'timeline', read: ({ course, window }) => (course === undefined ? undefined : read(course, window)) };
}

/** Those that are 0 where there is nothing. */
const ADDITIVE = /^(count|sum|delta|increase|changes|integral|coverage|duration_.*)$/;

const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['count', { part: undefined, read: ({ accumulator }) => accumulator.count }],
  ['sum', { part: 'sum', read: ({ numbers }, { sum }) => sum?.sum(numbers) }],
  ['mean', { part: 'sum', read: ({ numbers, accumulator }, { sum }) => sum?.mean(numbers, accumulator.count) }],
  ['min', { part: 'extent', read: ({ numbers }, { extent }) => extent?.min(numbers) }],
  ['max', { part: 'extent', read: ({ numbers }, { extent }) => extent?.max(numbers) }],
  ['range', { part: 'extent', read: ({ numbers }, { extent }) => extent?.range(numbers) }],
  ['first', { part: 'ends', read: ({ numbers }, { ends }) => ends?.first(numbers) }],
  ['last', { part: 'ends', read: ({ numbers }, { ends }) => ends?.last(numbers) }],
  ['stddev', { part: 'spread', read: ({ numbers }, { spread }) => spread?.stddev(numbers) }],
  ['variance', { part: 'spread', read: ({ numbers }, { spread }) => spread?.variance(numbers) }],
  ['median', { part: 'quantiles', read: ({ accumulator }) => accumulator.quantiles?.at(0.5) }],
  ['delta', ordered((course) => course.delta)],
  ['rate', ordered((course) => course.rate)],
  ['increase', ordered((course) => course.increase)],
  ['changes', ordered((course) => course.changes)],
  ['integral', ordered((course) => course.integral)],
  ['time_mean', ordered((course) => course.timeMean)],
  ['duration_nonzero', ordered((course) => course.nonzeroMs / 1000)],
  ['coverage', ordered((course, { start, end }) => course.coveredMs / (end - start))],
]);

/** The aggregates with fixed names; besides them there are `aggregatePatterns`. */
export const aggregateNames: readonly string[] = [...KINDS.keys()];

const PERCENTILE = /^p(100|[1-9]?[0-9](\.[0-9]{1,3})?)$/;
const DURATION = /^duration_(-?[0-9]{1,15}(\.[0-9]{1,6})?)$/;

/**
 * Sources of regular expressions for the aggregates with a number in their name: the percentiles `p0` to `p100`, with up to three
 * decimals, as in `p99.9`; and the seconds in which the value was some number, as in `duration_3`.
 */
export const aggregatePatterns: readonly string[] = [PERCENTILE.source, DURATION.source];

/** All names an aggregate can have, for a person. */
export const allowedAggregates = `${aggregateNames.join(', ')}, percentiles such as p95 or p99.9, and the time at a value such as duration_3`;

/** Whether a configuration may ask for this aggregate. */
export function isAggregate(name: string): boolean {
  return KINDS.has(name) || PERCENTILE.test(name) || DURATION.test(name);
}

/** How aggregates that depend on the order of the readings see the values between them. */
export interface CourseSettings {
  /** @default step */
  readonly interpolation?: Interpolation | undefined;
  /** Over a longer silence nothing is said, in milliseconds. @default +∞ */
  readonly maxGapMs?: number | undefined;
}

/** The aggregates that one window definition asks for, resolved once. */
export class AggregatePlan {
  readonly names: readonly string[];
  readonly #layout: Layout;
  readonly #reads: readonly Read[];
  /** Whether its accumulators are merged from those of another plan. */
  readonly #isMerged: boolean;

  /**
   * @param from the plan whose accumulators are merged into those of this one: how values between readings are seen is as there
   * @throws GatewayError for a name that is no aggregate or cannot be had by merging, and for an empty list
   */
  constructor(names: readonly string[], settings: CourseSettings = {}, from?: AggregatePlan) {
    const { interpolation = 'step', maxGapMs = Number.POSITIVE_INFINITY } = settings;
    if (names.length === 0) {
      throw new GatewayError('Cannot aggregate: the list of aggregates is empty', { hint: ALLOWED });
    }
    this.names = [...new Set(names)];
    this.#isMerged = from !== undefined;
    // In an order of their own, so that a snapshot does not depend on the one of the names.
    const own = [...new Set(this.names.flatMap((name) => stateOf(name) ?? []))].sort((a, b) => a - b);
    const inherited = from === undefined ? undefined : from.#layout.timeline;
    const course = inherited ?? { interpolation, maxGapMs, states: own };
    const kinds = this.names.map((name) => kindOf(name, course.states));
    const problem = from?.mergingProblem(this.names);
    if (problem !== undefined) throw problem;
    const needs = (part: Part) => kinds.some((kind) => kind.part === part);
    this.#layout = new Layout({
      sum: needs('sum'),
      spread: needs('spread'),
      extent: needs('extent'),
      ends: needs('ends'),
      quantiles: needs('quantiles'),
      timeline: needs('timeline') ? course : undefined,
    });
    this.#reads = kinds.map((kind) => kind.read);
  }

  /** What can be had by merging accumulators of this plan, for a person. */
  get mergeable(): string {
    const { quantiles, timeline } = this.#layout;
    const durations = timeline === undefined ? [] : timeline.states.map((state) => `duration_${state}`);
    const percentiles = quantiles ? ['percentiles such as p95'] : [];
    return [...aggregateNames.filter((name) => this.#holds(name)), ...durations, ...percentiles].join(', ');
  }

  /** Why some aggregate cannot be had by merging accumulators of this plan; undefined where each can. */
  mergingProblem(names: readonly string[]): GatewayError | undefined {
    const missing = names.find((name) => !this.#holds(name));
    if (missing === undefined) return undefined;
    return new GatewayError(
      `Cannot merge ${JSON.stringify(missing)}: what it is made from does not keep what it takes`,
      { hint: `What is kept there gives ${this.mergeable}; ask there for ${missing} as well.` },
    );
  }

  #holds(name: string): boolean {
    const state = stateOf(name);
    const states = this.#layout.timeline?.states ?? [];
    const { part } = kindOf(name, states);
    const isKept = part === undefined || (this.#layout[part] !== undefined && this.#layout[part] !== false);
    return isKept && (state === undefined || states.includes(state));
  }

  /** The fields of a window that turns out to hold nothing: `count`, and whatever would be added up. */
  nothing(): Record<string, number> {
    return {
      count: 0,
      ...Object.fromEntries(this.names.filter((name) => ADDITIVE.test(name)).map((name) => [name, 0])),
    };
  }

  /** What an accumulator's snapshot depends on: one of another form cannot be restored. */
  get form(): readonly unknown[] {
    const { timeline } = this.#layout;
    // A gap without end is no JSON, and the settings that are not used make no difference.
    const names = this.names.toSorted();
    if (timeline === undefined) return [names];
    const { interpolation, maxGapMs, states } = timeline;
    const course = [names, interpolation, Number.isFinite(maxGapMs) ? maxGapMs : 0];
    // Where they are its own the names tell them.
    return this.#isMerged ? [...course, states.map(String).toSorted()] : course;
  }

  /** A fresh accumulator. */
  accumulator(): Accumulator {
    return new Accumulator(this.#layout);
  }

  /**
   * The aggregates by name, each finite. A number that there is not (the rate of a single reading) or that is beyond the largest double (the
   * sum of huge values) is left out; without any value there is only `count`.
   */
  fields(accumulator: Accumulator, window: Window): Record<string, number> {
    const fields: Record<string, number> = {};
    const { numbers, timeline } = accumulator;
    const state = { accumulator, numbers, course: timeline?.course(), window };
    for (let i = 0; i < this.names.length; i++) {
      const name = this.names[i]!;
      const value = accumulator.count === 0 && name !== 'count' ? undefined : this.#reads[i]!(state, this.#layout);
      if (value !== undefined && Number.isFinite(value)) fields[name] = value;
    }
    return fields;
  }
}

const ALLOWED = `Allowed are ${allowedAggregates}.`;

/** @param states all values whose duration is asked for */
function kindOf(name: string, states: readonly number[]): Kind {
  const kind = KINDS.get(name);
  if (kind !== undefined) return kind;
  if (PERCENTILE.test(name)) {
    const quantile = Number(name.slice(1)) / 100;
    return { part: 'quantiles', read: ({ accumulator }) => accumulator.quantiles?.at(quantile) };
  }
  const state = stateOf(name);
  if (state === undefined) {
    throw new GatewayError(`Cannot aggregate ${JSON.stringify(name)}: there is no such aggregate`, { hint: ALLOWED });
  }
  const place = states.indexOf(state);
  return ordered((course) => course.durationAtMs(place) / 1000);
}

/** The value whose duration an aggregate is; undefined for any other. */
function stateOf(name: string): number | undefined {
  const state = DURATION.exec(name)?.[1];
  return state === undefined ? undefined : Number(state);
}
