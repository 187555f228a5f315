import { GatewayError } from '../../core/errors.ts';
import { type Assigner, makeAssigner, type WindowShape } from './assigners.ts';
import { Computation, type ComputationSettings } from './computation.ts';

/** Windows that depend on the time alone, or sessions of readings that follow each other within a gap in milliseconds. */
export type WindowKind = WindowShape | { readonly sessionGapMs: number };

/** A window as the configuration defines it. */
export interface WindowSettings extends ComputationSettings {
  readonly window: WindowKind & { readonly allowedLatenessMs: number };
}

/** Windows of one series beyond what disorder and lateness need; more means that one series of a device lags far behind another. */
const SPARE_WINDOWS = 256;

/** Windows of one series that disorder and lateness may need: a day of seconds is 86 400. */
const MAX_LATE_WINDOWS = 100_000;

/** Window settings, checked and made ready. */
export class WindowDefinition extends Computation {
  /** The series it is computed for: see `seriesPattern`. */
  readonly series: string;
  /** What it is made of; undefined where it takes readings. */
  readonly from: WindowDefinition | undefined;
  /** Windows that depend on the time alone; undefined for sessions. */
  readonly assigner: Assigner | undefined;
  /** The silence that ends a session, in milliseconds; 0 for other windows. */
  readonly sessionGapMs: number;
  readonly latenessMs: number;
  /** Most windows of one series that are kept open at once. */
  readonly maxOpen: number;
  /** How many windows hold one time. */
  readonly overlap: number;

  /**
   * @param from what it is made of by merging, if it is
   * @throws GatewayError for settings that are not allowed
   */
  constructor(settings: WindowSettings, outOfOrdernessMs: number, from?: WindowDefinition) {
    const { allowedLatenessMs } = settings.window;
    const kind = checkedWindow(settings.window);
    // A session may turn out to be none: whoever reads it must be able to tell.
    super(settings, typeof kind === 'number' ? ['count'] : [], from?.plan);
    this.series = settings.series;
    this.from = from;
    if (!(allowedLatenessMs >= 0 && Number.isFinite(allowedLatenessMs))) {
      throw new GatewayError(`Cannot allow ${allowedLatenessMs} ms of lateness in window ${settings.name}`, {
        hint: 'The allowed lateness is a finite number of milliseconds, at least 0.',
      });
    }
    this.sessionGapMs = typeof kind === 'number' ? kind : 0;
    this.assigner = typeof kind === 'number' ? undefined : kind;
    this.latenessMs = allowedLatenessMs;
    const lateWindows = checkOpenWindows(kind, allowedLatenessMs + outOfOrdernessMs);
    this.overlap = this.assigner?.overlap ?? 1;
    // Of a rollup one for each part there can be, and the one that the last closed part lies in.
    this.maxOpen = from === undefined ? SPARE_WINDOWS + this.overlap - 1 + lateWindows : from.maxOpen + 1;
  }

  /** What a snapshot of its windows depends on: with another form they cannot go on. */
  get form(): string {
    const shape = this.assigner?.form ?? ['session', this.sessionGapMs];
    const kind = this.from === undefined ? [] : ['rollup'];
    return JSON.stringify([this.name, ...kind, ...shape, ...this.plan.form]);
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

/**
 * How many windows of one series stay open as readings may come so late.
 *
 * @param latenessMs the allowed lateness, and how far readings may be out of order
 * @throws GatewayError where they are too many
 */
export function checkOpenWindows(window: Assigner | number, latenessMs: number): number {
  const stepMs = typeof window === 'number' ? window : window.leastStepMs;
  const count = Math.ceil(latenessMs / stepMs);
  if (count <= MAX_LATE_WINDOWS) return count;
  throw new GatewayError(`Cannot keep ${count} windows of ${stepMs} ms open for what comes ${latenessMs} ms late`, {
    hint: `At most ${MAX_LATE_WINDOWS} of a series: allow less lateness, at most ${MAX_LATE_WINDOWS * stepMs} ms with time.outOfOrderness, or make larger windows.`,
  });
}
