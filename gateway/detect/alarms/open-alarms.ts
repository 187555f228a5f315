import { type AlarmRow, type AlarmState, plainState } from '../../core/alarm.ts';
import type { EpochMs } from '../../core/clock.ts';
import { GatewayError } from '../../core/errors.ts';
import { type AlarmEvent, PRIORITIES, type Severity } from '../../core/result.ts';

/** Alarms that are over and were seen by nobody; of more the oldest are left to the history. */
export const MAX_RETURNED = 500;

/** An alarm that an operator has to know of. */
export interface OpenAlarm {
  /** As it was raised and passed on. */
  readonly raised: AlarmEvent;
  readonly clearedAt?: EpochMs | undefined;
  readonly acknowledgedAt?: EpochMs | undefined;
  readonly acknowledgedBy?: string | undefined;
}

/** The alarms that are active, and those that are over while nobody has seen them (ISA-18.2: return to normal, unacknowledged). */
export class OpenAlarms {
  #active = new Map<string, OpenAlarm>();
  #returned = new Map<string, OpenAlarm>();
  readonly #bySeverity: Record<Severity, number> = { info: 0, warning: 0, critical: 0 };
  #unacknowledged = 0;

  get activeBySeverity(): Readonly<Record<Severity, number>> {
    return { ...this.#bySeverity };
  }

  get activeCount(): number {
    return this.#active.size;
  }

  get returnedCount(): number {
    return this.#returned.size;
  }

  /** Active or over, and seen by nobody. */
  get unacknowledgedCount(): number {
    return this.#unacknowledged + this.#returned.size;
  }

  get(id: string): OpenAlarm | undefined {
    return this.#active.get(id) ?? this.#returned.get(id);
  }

  isActive(id: string): boolean {
    return this.#active.has(id);
  }

  /** One is raised, or was by an earlier release. */
  add(alarm: OpenAlarm): void {
    const { id, severity } = alarm.raised;
    if (this.#active.has(id)) return;
    this.#active.set(id, alarm);
    this.#bySeverity[severity] += 1;
    if (alarm.acknowledgedAt === undefined) this.#unacknowledged += 1;
  }

  /** What is known of one has changed. */
  update(alarm: OpenAlarm): void {
    const { id } = alarm.raised;
    if (this.#active.has(id)) this.#active.set(id, alarm);
    else if (this.#returned.has(id)) this.#returned.set(id, alarm);
  }

  /** A person has seen one; false where there is none, or somebody had. */
  acknowledge(id: string, acknowledgedAt: EpochMs, acknowledgedBy: string | undefined): boolean {
    const alarm = this.get(id);
    if (alarm === undefined || alarm.acknowledgedAt !== undefined) return false;
    if (this.#returned.delete(id)) return true;
    this.#active.set(id, { ...alarm, acknowledgedAt, acknowledgedBy });
    this.#unacknowledged -= 1;
    return true;
  }

  /** One is over. @returns whether another one had to be forgotten for it */
  clear(id: string, clearedAt: EpochMs): boolean {
    const alarm = this.#active.get(id);
    if (alarm === undefined) return false;
    this.#active.delete(id);
    this.#bySeverity[alarm.raised.severity] -= 1;
    if (alarm.acknowledgedAt !== undefined) return false;
    this.#unacknowledged -= 1;
    this.#returned.set(id, { ...alarm, clearedAt });
    if (this.#returned.size <= MAX_RETURNED) return false;
    this.#returned.delete(this.#returned.keys().next().value!);
    return true;
  }

  *all(): Generator<OpenAlarm> {
    yield* this.#active.values();
    yield* this.#returned.values();
  }

  snapshot(): readonly OpenAlarm[] {
    return [...this.all()];
  }

  /** @throws GatewayError where it is no snapshot of alarms */
  restore(snapshot: unknown): void {
    if (!Array.isArray(snapshot)) throw new GatewayError('Cannot restore the alarms: the snapshot is no list');
    for (const alarm of snapshot as readonly OpenAlarm[]) {
      if (alarm.clearedAt === undefined) this.add(alarm);
      else this.#returned.set(alarm.raised.id, alarm);
    }
  }
}

/** The alarm as people are shown it, but for what others know better: whether it is shelved, or told to nobody just now. */
export function alarmRow(
  alarm: OpenAlarm,
  { state, shelvedUntil }: { readonly state: AlarmState | undefined; readonly shelvedUntil: EpochMs | null },
): AlarmRow {
  const { raised, clearedAt = null, acknowledgedAt = null, acknowledgedBy = null } = alarm;
  const { id, series, detector, severity, score, value, message, raisedAt } = raised;
  return {
    ...{ id, series: series.key, device: series.device, metric: series.metric },
    ...{ detector, severity, score, value, message, raisedAt, clearedAt, acknowledgedAt, acknowledgedBy },
    priority: raised.priority ?? PRIORITIES[severity],
    state: state ?? plainState(clearedAt, acknowledgedAt),
    group: raised.group ?? null,
    count: raised.count ?? 1,
    suppressed: raised.suppressed ?? null,
    shelvedUntil,
  };
}
