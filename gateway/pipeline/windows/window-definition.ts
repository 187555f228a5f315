import { GatewayError } from '../../core/errors.ts';
import { AggregatePlan, type CourseSettings } from '../aggregate/aggregates.ts';
import { type Assigner, makeAssigner, type WindowShape } from './assigners.ts';

/** Windows that depend on the time alone, or sessions of readings that follow each other within a gap in milliseconds. */
export type WindowKind = WindowShape | { readonly sessionGapMs: number };

/** A window as the configuration defines it. */
export interface WindowSettings {
  /** Unique among all windows; part of the identity of results. */
  readonly name: string;
  /** The series it is computed for: see `seriesPattern`. */
  readonly series: string;
  readonly window: WindowKind & { readonly allowedLatenessMs: number };
  /** See `isAggregate`. */
  readonly aggregates: readonly string[];
  /** How often a window gives what it has before its end, in milliseconds of receive time; never without it. */
  readonly earlyMs?: number | undefined;
  /** For aggregates that depend on the order of the readings. */
  readonly course?: CourseSettings | undefined;
}

/** Windows of one series beyond what disorder and lateness need; more means that one series of a device lags far behind another. */
const SPARE_WINDOWS = 256;
/** Window settings, checked and made ready. */
export class WindowDefinition {
  readonly name: string;
  /** Windows that depend on the time alone; undefined for sessions. */
  readonly assigner: Assigner | undefined;
  /** The silence that ends a session, in milliseconds; 0 for other windows. */
  readonly sessionGapMs: number;
  readonly latenessMs: number;
  /** See `WindowSettings`; +∞ where there are no early results. */
  readonly earlyMs: number;
  readonly plan: AggregatePlan;
  /** Most windows of one series that are kept open at once. */
  readonly maxOpen: number;
  /** How many windows hold one time. */
  readonly overlap: number;

  /** @throws GatewayError for settings that are not allowed */
  constructor(settings: WindowSettings, outOfOrdernessMs: number) {
    const { allowedLatenessMs } = settings.window;
    if (!(allowedLatenessMs >= 0 && Number.isFinite(allowedLatenessMs))) {
      throw new GatewayError(`Cannot allow ${allowedLatenessMs} ms of lateness in window ${settings.name}`, {
        hint: 'The allowed lateness is a finite number of milliseconds, at least 0.',
      });
    }
    this.name = settings.name;
    const kind = checkedWindow(settings.window);
    this.sessionGapMs = typeof kind === 'number' ? kind : 0;
    this.assigner = typeof kind === 'number' ? undefined : kind;
    this.latenessMs = allowedLatenessMs;
    this.earlyMs = checkedEarly(settings);
    // A session may turn out to be none: whoever reads it must be able to tell.
    const aggregates = this.assigner === undefined ? ['count', ...settings.aggregates] : settings.aggregates;
    this.plan = new AggregatePlan(aggregates, settings.course);
    const { overlap, leastStepMs } = this.assigner ?? { overlap: 1, leastStepMs: this.sessionGapMs };
    this.overlap = overlap;
    this.maxOpen = SPARE_WINDOWS + overlap - 1 + Math.ceil((allowedLatenessMs + outOfOrdernessMs) / leastStepMs);
  }

  /** What a snapshot of its windows depends on: with another form they cannot go on. */
  get form(): string {
    const shape = this.assigner?.form ?? ['session', this.sessionGapMs];
    return JSON.stringify([this.name, ...shape, ...this.plan.form]);
  }
}

/**
 * The assigner of windows that depend on the time alone, or the gap of sessions.
 *
 * @throws GatewayError where there can be no such windows
 */
export function checkedWindow(window: WindowKind): Assigner | number {
  if (!('sessionGapMs' in window)) return makeAssigner(window);
  const { sessionGapMs } = window;
  if (Number.isSafeInteger(sessionGapMs) && sessionGapMs >= 1) return sessionGapMs;
  throw new GatewayError(`Cannot make sessions that end after ${sessionGapMs} ms without a reading`, {
    hint: 'That is a whole number of milliseconds, at least 1.',
  });
}

function checkedEarly({ name, earlyMs = Number.POSITIVE_INFINITY }: WindowSettings): number {
  if (earlyMs >= 1) return earlyMs;
  throw new GatewayError(`Cannot give early results of window ${name} every ${earlyMs} ms`, {
    hint: 'That is a number of milliseconds, at least 1.',
  });
}
