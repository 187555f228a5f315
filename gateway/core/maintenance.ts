import type { EpochMs } from './clock.ts';

/** The days of the week, Monday first as in ISO 8601. */
export const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;
/** One of `WEEKDAYS`. */
export type Weekday = (typeof WEEKDAYS)[number];

/** When series are in maintenance as planned: once, or every week on the same days from a time of the day in a time zone, for so long. */
export type MaintenanceSchedule =
  | { readonly from: EpochMs; readonly to: EpochMs }
  | { readonly on: readonly Weekday[]; readonly at: string; readonly forMs: number; readonly timeZone: string };

/** What the configuration says of one, and for which series. */
export interface PlannedMaintenance {
  /** A series pattern, see `seriesPattern`. */
  readonly series: string;
  readonly reason: string | undefined;
  readonly schedule: MaintenanceSchedule;
}

/** A maintenance that an operator has started, `[from, until)`. */
export interface StartedMaintenance {
  /** Unique among those that are known. */
  readonly id: string;
  /** A series pattern. */
  readonly series: string;
  readonly by: string;
  readonly reason: string;
  readonly from: EpochMs;
  readonly until: EpochMs;
}

/** A maintenance as people are shown it. */
export interface MaintenanceRow {
  /** By which it can be stopped; null where it is planned in the configuration. */
  readonly id: string | null;
  readonly series: string;
  readonly by: string | null;
  readonly reason: string | null;
  /** Whether it is on just now. */
  readonly active: boolean;
  /** Of the present time or, where it is planned and not on, the next; null where there is none any more. */
  readonly from: EpochMs | null;
  readonly until: EpochMs | null;
}
