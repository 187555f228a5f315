import type { AlarmRow, AlarmsStatus, DeskAction, ShelvedCondition } from '../../core/alarm.ts';
import type { EpochMs } from '../../core/clock.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Bound } from '../../core/memory.ts';
import { type AlarmEvent, PRIORITIES, type ResultSeries, type Suppression } from '../../core/result.ts';
import type { Emit } from '../../core/stage.ts';
import type { ActiveAlarm } from '../judge.ts';
import { AlarmRate } from './alarm-rate.ts';
import { acknowledgedEvent, dismissedEvent, fineEvent, shelvedEvent, unshelvedEvent } from './desk-events.ts';
import { DeviceGroups, MAX_GROUPS } from './device-groups.ts';
import { Flood, type FloodPolicy } from './flood.ts';
import { alarmRow, MAX_RETURNED, type OpenAlarm, OpenAlarms } from './open-alarms.ts';
import { MAX_SHELVED, Shelf } from './shelf.ts';

/** What the desk is told. */
export interface AlarmDeskOptions {
  /** Name of the gateway, whose own alarms bear it. */
  readonly gateway: string;
  readonly flood: FloodPolicy;
  /** See `DeviceGroups`. */
  readonly groupWithinMs: number;
  /** Alarms that are active by the word of the stages, for a checkpoint of a release that had no desk. */
  readonly activeAlarms: () => readonly ActiveAlarm[];
  /** How many alarms of the stages can be active where there are so many series at the most. */
  readonly maxActive: (maxSeries: number) => number;
  /** Whether a series is in maintenance at a time. */
  readonly isOutOfService: (series: ResultSeries, time: EpochMs) => boolean;
  /** Asks the stages to end an alarm that was fine, and to learn that; undefined where none of them knows it. */
  readonly dismiss: (raised: AlarmEvent) => Dismissed | undefined;
}

/** What became of an alarm that was fine. */
export interface Dismissed {
  /** Whether its detector learns, and had anything to learn. */
  readonly hasLearnt: boolean;
  /** Event time of the last reading of its series. */
  readonly time: EpochMs;
}

/** Those of the gateway itself: too many series, and a flood. */
const OWN_ALARMS = 2;

type Totals = Pick<
  AlarmsStatus,
  'raisedTotal' | 'shelvedTotal' | 'floodedTotal' | 'chatteringTotal' | 'dismissedTotal' | 'forgottenTotal'
>;

/**
 * Where alarms arrive on their way to people. It knows which are open and who has seen them, marks what is shelved, what comes in a flood and
 * what belongs together, and counts. Every step goes on, marked: what is for nobody's ears is kept all the same.
 *
 * Deterministic, as the stages are: `now` is the receive time of the analysis, and what operators do comes by the journal.
 */
export class AlarmDesk {
  readonly #options: AlarmDeskOptions;
  readonly #open = new OpenAlarms();
  readonly #shelf = new Shelf();
  readonly #groups: DeviceGroups;
  readonly #flood: Flood;
  readonly #rate = new AlarmRate();
  readonly #totals: { -readonly [Name in keyof Totals]: number } = {
    raisedTotal: 0,
    shelvedTotal: 0,
    floodedTotal: 0,
    chatteringTotal: 0,
    dismissedTotal: 0,
    forgottenTotal: 0,
  };

  constructor(options: AlarmDeskOptions) {
    this.#options = options;
    this.#groups = new DeviceGroups(options.groupWithinMs);
    this.#flood = new Flood(options.flood, options.gateway);
  }

  /** Takes a step of an alarm from a stage at receive time `now`, and passes it on. */
  take(event: AlarmEvent, now: EpochMs, emit: Emit): void {
    if (event.state === 'raised') this.#raise(event, now, emit);
    else if (event.state === 'cleared') this.#clear(event, emit);
    else emit(event);
  }

  /** What has waited for its time has, by `now`: shelves are emptied, a flood is over. In order of the deadlines. */
  advance(now: EpochMs, emit: Emit): void {
    while (this.isDue(now)) {
      const { endsAt } = this.#flood;
      if (endsAt <= this.#shelf.nextDue) this.#clear(this.#flood.end(Number.isFinite(endsAt) ? endsAt : now), emit);
      else this.#unshelve(now, emit);
    }
  }

  isDue(now: EpochMs): boolean {
    return this.#shelf.nextDue <= now || this.#flood.endsAt <= now;
  }

  /** The wall clock was set by `byMs`, and no time has passed by that. */
  step(byMs: number): void {
    this.#shelf.step(byMs);
    this.#flood.step(byMs);
    this.#rate.step(byMs);
  }

  /** A person has seen an alarm; false where there is none of this id, or somebody had. */
  acknowledge({ id, by, time }: DeskAction, emit: Emit): boolean {
    const alarm = this.#open.get(id);
    const isActive = this.#open.isActive(id);
    if (alarm === undefined || !this.#open.acknowledge(id, time, by)) return false;
    emit(acknowledgedEvent(alarm.raised, { time, by, isActive }));
    return true;
  }

  /** Puts the condition of an alarm aside until wall time `until`; false where there is no such alarm, or no room. */
  shelve({ id, by, time }: DeskAction, until: EpochMs, reason: string, emit: Emit): boolean {
    const raised = this.#open.get(id)?.raised;
    if (raised === undefined || !this.#shelf.put({ raised, by, reason, until })) return false;
    emit(shelvedEvent({ raised, by, reason, until }, time, this.#open.isActive(id)));
    return true;
  }

  /** Takes it back; false where it is not shelved. */
  unshelve({ id, by, time }: DeskAction, emit: Emit): boolean {
    const shelved = this.#shelf.take(id);
    if (shelved === undefined) return false;
    this.#tellUnshelved(shelved.raised, time, by, emit);
    return true;
  }

  /** What an alarm told of was fine: it is over and seen, and not raised for the like again where its detector learns. */
  dismiss(action: DeskAction, reason: string, emit: Emit): boolean {
    const { id, by, time } = action;
    const raised = this.#open.get(id)?.raised;
    if (raised === undefined) return false;
    const dismissed = this.#options.dismiss(raised);
    this.#totals.dismissedTotal += 1;
    if (dismissed !== undefined && this.#open.isActive(id)) {
      this.#clear(dismissedEvent(raised, { ...dismissed, by, reason }), emit);
    }
    const isActive = this.#open.isActive(id);
    if (this.#open.acknowledge(id, time, by)) {
      emit(fineEvent(raised, { hasLearnt: dismissed?.hasLearnt ?? false, time, by, reason, isActive }));
    }
    return true;
  }

  get activeCount(): number {
    return this.#open.activeCount;
  }

  /** The alarm, if it is open; shown as it stands at wall time `now`. */
  find(id: string, now: EpochMs): AlarmRow | undefined {
    const alarm = this.#open.get(id);
    return alarm && this.#row(alarm, now);
  }

  /** Active alarms, and those that are over and were seen by nobody. */
  open(now: EpochMs): readonly AlarmRow[] {
    const all = [...this.#open.all()];
    if (all.every(({ raised }) => raised.count === 1)) return all.map((alarm) => this.#row(alarm, now));
    const counts = new Map(this.#options.activeAlarms().map(({ raised, count }) => [raised.id, count]));
    return all.map((alarm) => {
      const row = this.#row(alarm, now);
      return { ...row, count: counts.get(row.id) ?? row.count };
    });
  }

  /** Whether the condition of an alarm is shelved, or there is no room for a further one. */
  shelfOf(id: string): { readonly shelved: ShelvedCondition | undefined; readonly isFull: boolean } {
    const shelved = this.#shelf.get(id);
    return {
      shelved: shelved && this.#shelf.list().find((one) => one.id === shelved.raised.id),
      isFull: shelved === undefined && this.#shelf.size >= MAX_SHELVED,
    };
  }

  /** @param now receive time */
  status(now: EpochMs): AlarmsStatus {
    const { state } = this.#flood;
    return {
      active: this.#open.activeBySeverity,
      unacknowledged: this.#open.unacknowledgedCount,
      returned: this.#open.returnedCount,
      shelved: this.#shelf.list(),
      flood: state === undefined ? null : { since: state.since, raised: state.count, suppressed: state.suppressed },
      perTenMinutes: this.#rate.at(now),
      ...this.#totals,
    };
  }

  /** See `Stage`. */
  bounds(maxSeries: number): readonly Bound[] {
    const max = this.#options.maxActive(maxSeries) + OWN_ALARMS;
    return [
      { name: 'active alarms', used: this.#open.activeCount, max, unit: 'alarms' },
      { name: 'alarms that nobody has seen', used: this.#open.returnedCount, max: MAX_RETURNED, unit: 'alarms' },
      { name: 'shelved alarms', used: this.#shelf.size, max: MAX_SHELVED, unit: 'alarms' },
      { name: 'groups of alarms', used: this.#groups.size, max: MAX_GROUPS, unit: 'devices' },
    ];
  }

  snapshot(): unknown {
    return {
      version: 1,
      open: this.#open.snapshot(),
      shelf: this.#shelf.snapshot(),
      groups: this.#groups.snapshot(),
      flood: this.#flood.snapshot(),
      rate: this.#rate.snapshot(),
      totals: { ...this.#totals },
    };
  }

  /** @throws GatewayError where the snapshot is not of this version */
  restore(snapshot: unknown): void {
    const { version, open, shelf, groups, flood, rate, totals } = (snapshot ?? {}) as Record<string, unknown>;
    if (version !== 1) throw new GatewayError('Cannot restore the alarms: the snapshot is not of version 1');
    this.#open.restore(open);
    this.#shelf.restore(shelf);
    this.#groups.restore(groups);
    this.#flood.restore(flood);
    this.#rate.restore(rate);
    Object.assign(this.#totals, totals);
  }

  /** Goes on from a checkpoint of a release that had no desk: the stages knew which alarms are active. */
  adopt(further: readonly ActiveAlarm[]): void {
    for (const { raised, acknowledgedAt } of [...this.#options.activeAlarms(), ...further]) {
      this.#open.add({ raised, acknowledgedAt });
    }
  }

  #raise(event: AlarmEvent, now: EpochMs, emit: Emit): void {
    this.#totals.raisedTotal += 1;
    this.#rate.add(now);
    if ((event.count ?? 1) > 1) this.#totals.chatteringTotal += 1;
    const suppressed = this.#suppression(event, now, emit);
    this.#pass({ ...event, ...(suppressed === undefined ? {} : { suppressed }) }, emit);
  }

  #suppression(event: AlarmEvent, now: EpochMs, emit: Emit): Suppression | undefined {
    if (this.#shelf.get(event.id) !== undefined) {
      this.#totals.shelvedTotal += 1;
      return 'shelved';
    }
    const begun = this.#flood.hear(event, now);
    if (begun !== undefined) {
      this.#pass(this.#shelf.get(begun.id) === undefined ? begun : { ...begun, suppressed: 'shelved' }, emit);
    }
    if (!this.#flood.suppresses(event)) return undefined;
    this.#totals.floodedTotal += 1;
    return 'flood';
  }

  #pass(event: AlarmEvent, emit: Emit): void {
    const raised: AlarmEvent = {
      priority: PRIORITIES[event.severity],
      count: 1,
      ...event,
      active: true,
      group: this.#groups.groupOf(event),
    };
    this.#open.add({ raised });
    this.#shelf.renew(raised);
    emit(raised);
  }

  #clear(event: AlarmEvent, emit: Emit): void {
    const raised = this.#open.get(event.id)?.raised;
    // A database knows a step by its time. The last reading of a series may be the one that raised the alarm, and the clock may have been set back.
    const time = Math.max(event.time, event.raisedAt + 1);
    if (this.#open.clear(event.id, time)) this.#totals.forgottenTotal += 1;
    const { priority = PRIORITIES[event.severity], group, count = 1 } = raised ?? event;
    const suppressed = this.#shelf.get(event.id) === undefined ? raised?.suppressed : 'shelved';
    emit({
      ...event,
      time,
      active: false,
      priority,
      count: event.count ?? count,
      ...(group === undefined ? {} : { group }),
      ...(suppressed === undefined ? {} : { suppressed }),
    });
  }

  #unshelve(now: EpochMs, emit: Emit): void {
    const due = this.#shelf.takeDue(now);
    if (due !== undefined) this.#tellUnshelved(due.raised, due.until, undefined, emit);
  }

  /** An alarm that was raised while it was shelved is for people from now on. */
  #tellUnshelved(known: AlarmEvent, time: EpochMs, by: string | undefined, emit: Emit): void {
    const { suppressed: _, ...raised } = known;
    const alarm = this.#open.get(known.id);
    if (alarm !== undefined && known.suppressed === 'shelved') this.#open.update({ ...alarm, raised });
    emit(unshelvedEvent(raised, { time, by, isActive: this.#open.isActive(known.id) }));
  }

  #row(alarm: OpenAlarm, now: EpochMs): AlarmRow {
    const shelved = this.#shelf.get(alarm.raised.id);
    const isHeldBack = alarm.raised.suppressed === 'flood' && this.#flood.state !== undefined;
    const isOut = this.#options.isOutOfService(alarm.raised.series, now);
    const state = isOut ? 'out-of-service' : shelved !== undefined ? 'shelved' : isHeldBack ? 'suppressed' : undefined;
    return alarmRow(alarm, { state, shelvedUntil: shelved?.until ?? null });
  }
}
