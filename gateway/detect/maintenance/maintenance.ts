import { type SeriesPattern, seriesPattern } from '../../base/series-pattern.ts';
import type { EpochMs } from '../../core/clock.ts';
import { GatewayError } from '../../core/errors.ts';
import type { MaintenanceRow, PlannedMaintenance, StartedMaintenance } from '../../core/maintenance.ts';
import type { Bound } from '../../core/memory.ts';
import { WeeklySchedule } from './weekly-schedule.ts';

/** So many that operators have started are known; those that are over longest go first, and one that is not never does. */
export const MAX_STARTED = 100;

/** A time that may be one of maintenance. */
export interface MaintenanceTimes {
  covers(time: EpochMs): boolean;
}

interface Planned {
  readonly plan: PlannedMaintenance;
  readonly matches: SeriesPattern;
  readonly times: MaintenanceTimes;
  readonly nextAt: (time: EpochMs) => { readonly from: EpochMs; readonly until: EpochMs } | undefined;
}

interface Started {
  readonly row: StartedMaintenance;
  readonly matches: SeriesPattern;
  readonly times: MaintenanceTimes;
}

/** What a pattern is matched with. */
type Identity = Parameters<SeriesPattern>[0];

/**
 * When series are in maintenance (ISA-18.2: out of service), planned by the configuration or started by an operator. It goes by the times of the
 * readings, so that a late one is judged by when it was measured.
 */
export class Maintenance {
  readonly #planned: readonly Planned[];
  #started: readonly Started[] = [];
  #version = 0;

  /** @throws GatewayError for a plan that cannot be */
  constructor(plans: readonly PlannedMaintenance[]) {
    this.#planned = plans.map(planned);
  }

  /** Changes whenever `timesOf` may answer otherwise. */
  get version(): number {
    return this.#version;
  }

  /** The maintenances that mean a series: to be kept while `version` stays the same, as most series have none. */
  timesOf(series: Identity): readonly MaintenanceTimes[] {
    return [...this.#planned, ...this.#started].filter(({ matches }) => matches(series)).map(({ times }) => times);
  }

  /** Whether a series is in maintenance at a time. */
  covers(series: Identity, time: EpochMs): boolean {
    const isMeant = ({ matches, times }: Planned | Started) => times.covers(time) && matches(series);
    return this.#planned.some(isMeant) || this.#started.some(isMeant);
  }

  /** Begins one; false where so many are on that there is no room. */
  start(row: StartedMaintenance): boolean {
    const others = this.#started.filter(({ row: { id } }) => id !== row.id);
    const over = others.filter(({ row: { until } }) => until <= row.from).sort((a, b) => a.row.until - b.row.until);
    const dropped = new Set(over.slice(0, Math.max(0, others.length + 1 - MAX_STARTED)));
    const kept = others.filter((one) => !dropped.has(one));
    if (kept.length >= MAX_STARTED) return false;
    this.#change([...kept, started(row)]);
    return true;
  }

  /** Ends one at a time; false where it is not known, or over by then. */
  stop(id: string, time: EpochMs): boolean {
    const one = this.#started.find(({ row }) => row.id === id);
    if (one === undefined || one.row.until <= time) return false;
    const ended = started({ ...one.row, until: Math.max(time, one.row.from) });
    this.#change(this.#started.map((other) => (other === one ? ended : other)));
    return true;
  }

  /** The wall clock was set by `byMs`: what operators have started lasts as long as it would have. */
  step(byMs: number): void {
    this.#change(this.#started.map(({ row }) => started({ ...row, from: row.from + byMs, until: row.until + byMs })));
  }

  /** Those that are planned, and those that were started and are not over at `now`. */
  list(now: EpochMs): readonly MaintenanceRow[] {
    const ofPlans = this.#planned.map(({ plan: { series, reason = null }, times, nextAt }) => {
      const { from = null, until = null } = nextAt(now) ?? {};
      return { id: null, series, by: null, reason, active: times.covers(now), from, until };
    });
    const ofPeople = this.#started
      .filter(({ row }) => row.until > now)
      .map(({ row: { id, series, by, reason, from, until }, times }) => {
        return { id, series, by, reason, active: times.covers(now), from, until };
      });
    return [...ofPlans, ...ofPeople];
  }

  bounds(): readonly Bound[] {
    return [{ name: 'started maintenances', used: this.#started.length, max: MAX_STARTED, unit: 'maintenances' }];
  }

  snapshot(): unknown {
    return { version: 1, started: this.#started.map(({ row }) => row) };
  }

  /** @throws GatewayError where the snapshot is not of this version */
  restore(snapshot: unknown): void {
    const { version, started: rows } = (snapshot ?? {}) as { version?: unknown; started?: unknown };
    if (version !== 1 || !Array.isArray(rows)) {
      throw new GatewayError('Cannot restore what is in maintenance: the snapshot is not of version 1');
    }
    this.#change((rows as readonly StartedMaintenance[]).map(started));
  }

  #change(all: readonly Started[]): void {
    this.#started = all;
    this.#version++;
  }
}

function planned(plan: PlannedMaintenance): Planned {
  const { schedule } = plan;
  const matches = seriesPattern(plan.series);
  if ('on' in schedule) {
    const times = new WeeklySchedule(schedule.on, schedule.at, schedule.forMs, schedule.timeZone);
    return { plan, matches, times, nextAt: (time) => times.nextAt(time) };
  }
  const { from, to } = schedule;
  if (!(to > from)) {
    throw new GatewayError('Cannot plan a maintenance that is over before it begins', {
      hint: 'to must be after from',
    });
  }
  const nextAt = (time: EpochMs) => (time < to ? { from, until: to } : undefined);
  return { plan, matches, times: within(from, to), nextAt };
}

function started(row: StartedMaintenance): Started {
  return { row, matches: seriesPattern(row.series), times: within(row.from, row.until) };
}

function within(from: EpochMs, until: EpochMs): MaintenanceTimes {
  return { covers: (time) => time >= from && time < until };
}
