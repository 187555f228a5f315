import type { AlarmRow } from '../../core/alarm.ts';

/** Alarms of one device that came shortly one after the other. */
export interface AlarmGroup {
  /** That its alarms bear; the id of the alarm where it bears none. */
  readonly id: string;
  readonly device: string;
  /** The highest of its alarms, and so is the priority. */
  readonly severity: string;
  readonly priority: number;
  /** When the first of them was raised. */
  readonly since: number;
  readonly active: number;
  readonly unacknowledged: number;
  /** One sentence for all of them. */
  readonly message: string;
  /** In the order in which they were given. */
  readonly alarms: readonly AlarmRow[];
}

/** Puts alarms together that belong together, in the order of the first of each group. */
export function groupAlarms(rows: readonly AlarmRow[]): readonly AlarmGroup[] {
  const groups = new Map<string, AlarmRow[]>();
  for (const row of rows) {
    const id = row.group ?? row.id;
    const known = groups.get(id);
    if (known === undefined) groups.set(id, [row]);
    else known.push(row);
  }
  return [...groups].map(([id, alarms]) => groupOf(id, alarms));
}

function groupOf(id: string, alarms: readonly AlarmRow[]): AlarmGroup {
  const gravest = alarms.reduce((a, b) => (b.priority > a.priority ? b : a));
  const since = Math.min(...alarms.map(({ raisedAt }) => raisedAt));
  const active = alarms.filter(({ clearedAt }) => clearedAt === null).length;
  const { device, severity, priority } = gravest;
  const unacknowledged = alarms.filter(({ acknowledgedAt }) => acknowledgedAt === null).length;
  const begun = `${alarms.length} alarms of ${device} since ${new Date(since).toISOString()}, ${active} of them active`;
  const message = alarms.length === 1 ? gravest.message : `${begun}; the gravest (${severity}): ${gravest.message}`;
  return { id, device, severity, priority, since, active, unacknowledged, message, alarms };
}
