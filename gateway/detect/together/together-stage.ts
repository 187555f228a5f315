import type { EpochMs } from '../../core/clock.ts';
import type { DetectorCounts } from '../../core/detector.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Bound } from '../../core/memory.ts';
import { Quality } from '../../core/quality.ts';
import type { Reading, Series } from '../../core/reading.ts';
import type { AlarmEvent } from '../../core/result.ts';
import { type Emit, Fate, type Stage } from '../../core/stage.ts';
import type { Dismissed } from '../alarms/alarm-desk.ts';
import { setBackEvent, type WithdrawnAlarm, withdrawnEvent } from '../alarms/alarm-events.ts';
import { conditionOf } from '../alarms/shelf.ts';
import type { ActiveAlarm } from '../judge.ts';
import { Maintenance, type MaintenanceTimes } from '../maintenance/maintenance.ts';
import { MAX_CHANNELS } from './joint-detector.ts';
import { type GroupSnapshot, type OnAnomaly, TogetherGroup } from './together-group.ts';
import { type ReadyTogether, readyTogether, type TogetherRule } from './together-rule.ts';

/** What the stage is told. */
export interface TogetherStageOptions {
  /** In the order of the configuration; several may match one series. */
  readonly rules: readonly TogetherRule[];
  /** The series of a key. */
  readonly findSeries: (key: string) => Series | undefined;
  /** When series are not to be judged. Without it they always are. */
  readonly maintenance?: Maintenance | undefined;
  /** Called for the reading that stands out most in each anomaly; the verdict is only valid during the call. Must not throw. */
  readonly onAnomaly?: OnAnomaly | undefined;
  /** Most groups; the series of a further one are not judged. @default 10000 */
  readonly maxGroups?: number | undefined;
}

/** A series in a group that judges it. */
interface Seat {
  readonly group: TogetherGroup;
  readonly place: number;
}

/** A series that at least one group judges. */
interface SeatedSeries {
  readonly seats: readonly Seat[];
  /** When it is in maintenance, as of a version of that. */
  maintenance: readonly MaintenanceTimes[];
  maintenanceVersion: number;
}

interface TogetherSnapshot {
  readonly version: 1;
  /** By the key of the rule and then that of the group. */
  readonly groups: ReadonlyMap<string, ReadonlyMap<string, GroupSnapshot>>;
  readonly withdrawn: readonly WithdrawnAlarm[];
}

/**
 * Judges series together, group by group: what they say is put together into moments (see `AsOfVector`), each of which is judged once, in ascending
 * order of time. A reading that takes part has the fate `aggregated`, any other `filtered`: texts, bad quality, what is not newer than the last of
 * its series, a series that has not what `on` names, and one for which there is no room in its group.
 *
 * As in the `DetectStage`, alarms live on event time only, and end where their rule has left the configuration.
 */
export class TogetherStage implements Stage {
  readonly #rules: readonly ReadyTogether[];
  readonly #findSeries: (key: string) => Series | undefined;
  readonly #onAnomaly: OnAnomaly | undefined;
  readonly #maintenance: Maintenance;
  readonly #maxGroups: number;
  /** By rule, then by key. */
  readonly #groups = new Map<ReadyTogether, Map<string, TogetherGroup>>();
  #groupCount = 0;
  /** By series id; null where none judges it. */
  readonly #bySeries: (SeatedSeries | null | undefined)[] = [];
  #withdrawn: WithdrawnAlarm[] = [];

  constructor(options: TogetherStageOptions) {
    this.#rules = readyTogether(options.rules);
    this.#findSeries = options.findSeries;
    this.#onAnomaly = options.onAnomaly;
    this.#maintenance = options.maintenance ?? new Maintenance([]);
    this.#maxGroups = options.maxGroups ?? 10_000;
  }

  process(reading: Reading, emit: Emit): Fate {
    const { series } = reading;
    let seated = this.#bySeries[series.id];
    if (seated === undefined) {
      seated = this.#seat(series);
      this.#bySeries[series.id] = seated;
    }
    if (seated === null || reading.quality === Quality.bad) return Fate.filtered;
    if (this.#isOutOfService(seated, series, reading.sourceTime)) return Fate.filtered;
    const value = typeof reading.value === 'boolean' ? Number(reading.value) : reading.value;
    if (typeof value !== 'number' || !Number.isFinite(value)) return Fate.filtered;
    let fate: Fate = Fate.filtered;
    for (const { group, place } of seated.seats) {
      if (group.take(place, value, reading, emit, this.#onAnomaly)) fate = Fate.aggregated;
    }
    return fate;
  }

  /** Nothing here waits for a time; the alarms of rules that are gone are cleared at once. */
  advance(_now: EpochMs, emit: Emit): void {
    if (this.#withdrawn.length === 0) return;
    for (const { raised, time } of this.#withdrawn) emit(withdrawnEvent(raised, time));
    this.#withdrawn = [];
  }

  isDue(_now: EpochMs): boolean {
    return this.#withdrawn.length > 0;
  }

  /** As in the `DetectStage`: where event time is the gateway's and went back, a group begins anew. */
  step(now: EpochMs, byMs: number, emit: Emit): void {
    if (byMs > 0) return;
    for (const group of this.#all()) {
      const { stamped, lastTime, active } = group;
      if (!stamped || lastTime <= now) continue;
      if (active !== undefined) emit(setBackEvent(active.raised, lastTime));
      group.beginAnew();
    }
  }

  /** See `DetectStage`. */
  dismiss({ id }: AlarmEvent): Dismissed | undefined {
    const condition = conditionOf(id);
    const groups = [...this.#all()];
    const group =
      groups.find(({ active }) => active?.raised.id === id) ?? groups.find((one) => one.condition === condition);
    return group && { hasLearnt: group.dismiss(id), time: group.lastTime };
  }

  /** Every alarm that is raised and not cleared, those of rules that are gone first. */
  activeAlarms(): readonly ActiveAlarm[] {
    const active: ActiveAlarm[] = this.#withdrawn.map(({ raised }) => ({ raised }));
    for (const group of this.#all()) if (group.active !== undefined) active.push(group.active);
    return active;
  }

  get detectors(): DetectorCounts {
    let learning = 0;
    for (const { isLearning } of this.#all()) if (isLearning) learning++;
    return { count: this.#groupCount, learning };
  }

  bounds(): readonly Bound[] {
    if (this.#rules.length === 0) return [];
    let largest = 0;
    for (const { size } of this.#all()) largest = Math.max(largest, size);
    return [
      { name: 'groups judged together', used: this.#groupCount, max: this.#maxGroups, unit: 'groups' },
      { name: 'series in the largest group judged together', used: largest, max: MAX_CHANNELS, unit: 'series' },
    ];
  }

  snapshot(): unknown {
    const groups = new Map<string, ReadonlyMap<string, GroupSnapshot>>();
    for (const [rule, byKey] of this.#groups) {
      groups.set(rule.key, new Map([...byKey].map(([key, group]) => [key, group.snapshot()])));
    }
    const snapshot: TogetherSnapshot = { version: 1, groups, withdrawn: this.#withdrawn };
    return snapshot;
  }

  restore(snapshot: unknown): void {
    if (!isTogetherSnapshot(snapshot)) {
      throw new GatewayError('Cannot restore the series judged together: the snapshot is not of version 1', {
        hint: 'it was written by another version; without it they are learnt anew and active alarms are raised again',
      });
    }
    this.#groups.clear();
    this.#groupCount = 0;
    this.#bySeries.length = 0;
    const withdrawn = [...snapshot.withdrawn];
    for (const [ruleKey, byKey] of snapshot.groups) {
      const rule = this.#rules.find(({ key }) => key === ruleKey);
      for (const [key, state] of byKey) {
        const group = rule === undefined ? undefined : this.#newGroup(rule, key);
        const { raised } = state.judge;
        if (raised !== undefined && (group === undefined || rule?.alarmPolicy === undefined)) {
          withdrawn.push({ raised, time: raised.time });
        }
        group?.restore(state, this.#findSeries);
      }
    }
    this.#withdrawn = withdrawn;
  }

  #seat(series: Series): SeatedSeries | null {
    const seats = this.#rules.flatMap((rule) => {
      const key = rule.matches(series) ? rule.groupOf(series) : undefined;
      if (key === undefined) return [];
      const group = this.#groups.get(rule)?.get(key) ?? this.#newGroup(rule, key);
      if (group === undefined || (group.size >= MAX_CHANNELS && !group.knows(series.key))) return [];
      return [{ group, place: group.placeOf(series) }];
    });
    return seats.length === 0 ? null : { seats, maintenance: [], maintenanceVersion: Number.NaN };
  }

  /** In maintenance a series is as if it were silent: nothing is learnt of it, and the others are judged without it. */
  #isOutOfService(seated: SeatedSeries, series: Series, time: EpochMs): boolean {
    if (seated.maintenanceVersion !== this.#maintenance.version) {
      seated.maintenance = this.#maintenance.timesOf(series);
      seated.maintenanceVersion = this.#maintenance.version;
    }
    for (const times of seated.maintenance) if (times.covers(time)) return true;
    return false;
  }

  /** Undefined where there is no room for it. */
  #newGroup(rule: ReadyTogether, key: string): TogetherGroup | undefined {
    if (this.#groupCount >= this.#maxGroups) return undefined;
    const group = new TogetherGroup(rule, key);
    const byKey = this.#groups.get(rule) ?? new Map<string, TogetherGroup>();
    this.#groups.set(rule, byKey.set(key, group));
    this.#groupCount++;
    return group;
  }

  *#all(): Generator<TogetherGroup> {
    for (const byKey of this.#groups.values()) yield* byKey.values();
  }
}

function isTogetherSnapshot(snapshot: unknown): snapshot is TogetherSnapshot {
  if (typeof snapshot !== 'object' || snapshot === null) return false;
  const { version, groups, withdrawn } = snapshot as Partial<TogetherSnapshot>;
  return version === 1 && groups instanceof Map && Array.isArray(withdrawn);
}
