import type { AlarmRow } from '../../core/alarm.ts';
import type { AlarmEvent } from '../../core/result.ts';
import { monotonicMs } from './browser-clock.ts';

// The live stream is ahead of the history, which takes results from the outbox: what the stream said lately stands until the history
// has surely caught up.
const AHEAD_MS = 15_000;
/** The most alarms kept; the oldest go first. */
export const MAX_ALARMS = 500;

/** Alarms as the history has them, with what the live stream has said since. */
export class AlarmList {
  #rows = new Map<string, AlarmRow>();
  #steps: { event: AlarmEvent; at: number }[] = [];

  /** Takes what the history answered. */
  load(rows: readonly AlarmRow[]): void {
    this.#rows = new Map(rows.map((row) => [row.id, row]));
    this.#forget();
    for (const { event } of this.#steps) this.#apply(event);
  }

  /** Takes a step of an alarm from the live stream. */
  take(event: AlarmEvent): void {
    this.#steps.push({ event, at: monotonicMs() });
    this.#apply(event);
    this.#forget();
  }

  /** Takes an alarm that is surely newer than what the history has. */
  put(row: AlarmRow): void {
    this.#rows.set(row.id, row);
  }

  /** Alarms that are active, or over and seen by nobody; those that wait for a person first, and the gravest of them. */
  open(): AlarmRow[] {
    const rows = [...this.#rows.values()].filter((row) => row.clearedAt === null || row.acknowledgedAt === null);
    return rows.sort((a, b) => urgency(a) - urgency(b) || b.raisedAt - a.raisedAt);
  }

  /** Every alarm of a series. */
  of(series: string): AlarmRow[] {
    return [...this.#rows.values()].filter((row) => row.series === series);
  }

  #forget(): void {
    this.#steps = this.#steps.filter(({ at }) => monotonicMs() - at < AHEAD_MS).slice(-MAX_ALARMS);
    for (const id of this.#rows.keys()) {
      if (this.#rows.size <= MAX_ALARMS) break;
      this.#rows.delete(id);
    }
  }

  #apply(event: AlarmEvent): void {
    const { id, series, detector, severity, score, value, message, raisedAt, state, time } = event;
    const { key, device, metric } = series;
    const row: AlarmRow = this.#rows.get(id) ?? {
      ...{ id, series: key, device, metric, detector, severity, score, value, message, raisedAt },
      ...{ priority: event.priority ?? 0, count: event.count ?? 1, group: event.group ?? null },
      ...{ clearedAt: null, acknowledgedAt: null, acknowledgedBy: null, shelvedUntil: null },
      suppressed: event.suppressed ?? null,
      state: event.suppressed === 'flood' ? 'suppressed' : (event.suppressed ?? 'unacknowledged'),
    };
    if (state === 'raised') this.#rows.set(id, row);
    if (state === 'cleared') this.#set(row, { clearedAt: time, count: event.count ?? row.count });
    if (state === 'acknowledged') this.#set(row, { acknowledgedAt: time, acknowledgedBy: event.by ?? null });
    if (state === 'shelved') this.#set(row, { shelvedUntil: event.until ?? null });
    if (state === 'unshelved') this.#set(row, { shelvedUntil: null });
  }

  #set(row: AlarmRow, change: Partial<AlarmRow>): void {
    const changed = { ...row, ...change };
    this.#rows.set(row.id, { ...changed, state: stateOf(changed) });
  }
}

/** As far as the steps of the alarm tell it. */
function stateOf({ clearedAt, acknowledgedAt, shelvedUntil }: AlarmRow): AlarmRow['state'] {
  if (shelvedUntil !== null) return 'shelved';
  if (clearedAt === null) return acknowledgedAt === null ? 'unacknowledged' : 'acknowledged';
  return acknowledgedAt === null ? 'returned' : 'normal';
}

/** What is shelved or in maintenance comes after what waits for a person. */
function urgency(alarm: AlarmRow): number {
  const rank = alarm.severity === 'critical' ? 0 : alarm.severity === 'warning' ? 1 : 2;
  const isAside = alarm.state === 'shelved' || alarm.state === 'out-of-service';
  return rank + (alarm.acknowledgedAt === null ? 0 : 3) + (isAside ? 6 : 0);
}
