import type { Severity } from '../gateway/core/result.ts';

/** A detector on the series a pattern names. */
export interface DetectConfiguration {
  readonly series: string;
  readonly detector: string;
  /** The detector's own options, defaults filled in; a duration `for` of the file is `forMs` here. */
  readonly options: Readonly<Record<string, number | string>>;
  /** Undefined: anomalies are marked, and no alarm is raised. */
  readonly alarm:
    | {
        readonly severity: Severity;
        readonly priority: number | undefined;
        readonly holdMs: number;
        readonly onDelayMs: number;
        readonly hysteresis: number;
      }
    | undefined;
}

/** A detector on several series together: an entry of `detect`, too. */
export interface TogetherConfiguration extends Omit<DetectConfiguration, 'series'> {
  readonly together: readonly string[];
  /** What is equal in the series of a group; none: all that match are one. */
  readonly on: readonly string[];
  readonly maxAgeMs: number;
}

/** How alarms reach people. */
export interface AlarmsConfiguration {
  readonly maxShelvingMs: number;
  readonly maxMaintenanceMs: number;
  readonly groupWithinMs: number;
  /** With an `above` of 0 there never is one. */
  readonly flood: { readonly above: number; readonly below: number; readonly withinMs: number };
}
