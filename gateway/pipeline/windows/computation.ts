import { GatewayError } from '../../core/errors.ts';
import { AggregatePlan, type CourseSettings } from '../aggregate/aggregates.ts';

/** What the configuration says of a window beside its shape. */
export interface ComputationSettings {
  /** Unique among all windows; part of the identity of results. */
  readonly name: string;
  /** The series it is computed for: see `seriesPattern`. */
  readonly series: string;
  /** See `isAggregate`. */
  readonly aggregates: readonly string[];
  /** How often a window gives what it has before its end, in milliseconds of receive time; never without it. */
  readonly earlyMs?: number | undefined;
  /** Whether readings that come too late are only counted, or given one by one too: see `lateResultOf`. @default count */
  readonly late?: 'count' | 'store' | undefined;
  /** For aggregates that depend on the order of the readings. */
  readonly course?: CourseSettings | undefined;
}

/** What is computed over the windows of one name, whatever their shape, checked and made ready. */
export class Computation {
  readonly name: string;
  /** See `ComputationSettings`; +∞ where there are no early results. */
  readonly earlyMs: number;
  readonly plan: AggregatePlan;
  /** Whether readings that come too late are given one by one. */
  readonly storesLate: boolean;

  /**
   * @param always aggregates that are given whether they are asked for or not
   * @param from what it is made from by merging, if it is
   * @throws GatewayError for settings that are not allowed
   */
  constructor(
    { name, aggregates, earlyMs, late, course }: ComputationSettings,
    always: readonly string[] = [],
    from?: AggregatePlan,
  ) {
    this.name = name;
    this.earlyMs = checkedEarly(name, earlyMs);
    this.storesLate = late === 'store';
    this.plan = new AggregatePlan([...always, ...aggregates], course, from);
  }

  /** Whether windows give results before their end. */
  get isEarly(): boolean {
    return Number.isFinite(this.earlyMs);
  }
}

function checkedEarly(name: string, earlyMs = Number.POSITIVE_INFINITY): number {
  if (earlyMs >= 1) return earlyMs;
  throw new GatewayError(`Cannot give early results of window ${name} every ${earlyMs} ms`, {
    hint: 'That is a number of milliseconds, at least 1.',
  });
}
