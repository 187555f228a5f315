import type { EpochMs } from '../core/clock.ts';
import type { DetectorCounts, Verdict } from '../core/detector.ts';
import { GatewayError } from '../core/errors.ts';
import type { Bound } from '../core/memory.ts';
import { Quality } from '../core/quality.ts';
import type { Reading, Series } from '../core/reading.ts';
import type { AlarmEvent } from '../core/result.ts';
import { type Emit, Fate, type Stage } from '../core/stage.ts';
import type { Dismissed } from './alarms/alarm-desk.ts';
import { setBackEvent, type WithdrawnAlarm, withdrawnEvent } from './alarms/alarm-events.ts';
import { conditionOf } from './alarms/shelf.ts';
import { type ActiveAlarm, Judge, type JudgeSnapshot } from './judge.ts';
import { Maintenance, type MaintenanceTimes } from './maintenance/maintenance.ts';
import { type DetectRule, type ReadyRule, readyRules } from './rule.ts';
import { SilenceQueue, type SilenceWatch } from './silence-queue.ts';

/** What the detect stage is told. */
export interface DetectStageOptions {
  /** In the order of the configuration; several may match one series. */
  readonly rules: readonly DetectRule[];
  /** The series of a key: without it the silence of a series is not judged from a restore until its next reading. */
  readonly findSeries?: ((key: string) => Series | undefined) | undefined;
  /** Called for each rule that calls a reading an anomaly; the verdict is only valid during the call. Must not throw. */
  readonly onAnomaly?: ((reading: Reading, verdict: Verdict) => void) | undefined;
  /** When series are not to be judged. Without it they always are. */
  readonly maintenance?: Maintenance | undefined;
  /** Most series without readings since a restore whose state is kept; the most recently judged stay. @default 100000 */
  readonly maxAbsentSeries?: number | undefined;
}

/** A series that at least one rule judges. */
interface WatchedSeries {
  readonly key: string;
  /** Those of its values. */
  judges: readonly Judge[];
  /** Those of its silence. */
  readonly silences: readonly SilenceWatch[];
  /** Source time of the last reading that was judged. */
  lastTime: EpochMs;
  /** Whether the gateway's clock has said it, as the device has none. */
  stamped: boolean;
  /** When it is in maintenance, as of a version of that. */
  maintenance?: readonly MaintenanceTimes[];
  maintenanceVersion?: number;
}

interface WatchedSnapshot {
  readonly lastTime: EpochMs;
  /** False where a snapshot has none. */
  readonly stamped?: boolean;
  /** By the key of the rule. */
  readonly judges: ReadonlyMap<string, JudgeSnapshot>;
}

interface DetectSnapshot {
  readonly version: 1;
  readonly series: ReadonlyMap<string, WatchedSnapshot>;
  readonly withdrawn: readonly WithdrawnAlarm[];
}

/**
 * Judges readings by the rules and turns anomalies into alarms.
 *
 * Judged are numbers and booleans (as 0 and 1) of good or uncertain quality, in ascending order of source time within a series: what is
 * not newer than the last judged reading is left out, so detectors see each moment once. A judged reading's fate is `aggregated`,
 * any other's `filtered`.
 *
 * An alarm lives on event time only: it is cleared by readings, never by silence. A rule that judges silence lives on receive time: it hears of every
 * reading of its series, whatever becomes of it otherwise, and tells at the very moment at which silence is too long. When the rule of an active alarm has left the
 * configuration, the alarm is cleared at the first `advance` after the restore. What is in maintenance is not judged, and not learnt from.
 */
export class DetectStage implements Stage {
  readonly #rules: readonly ReadyRule[];
  readonly #findSeries: (key: string) => Series | undefined;
  readonly #onAnomaly: ((reading: Reading, verdict: Verdict) => void) | undefined;
  readonly #maintenance: Maintenance;
  readonly #maxAbsentSeries: number;
  /** By series id; null where no rule matches. */
  readonly #bySeries: (WatchedSeries | null | undefined)[] = [];
  /** Restored and not seen since, by series key. */
  #absent = new Map<string, WatchedSeries>();
  #withdrawn: WithdrawnAlarm[] = [];
  #silences: SilenceQueue;

  constructor(options: DetectStageOptions) {
    this.#rules = readyRules(options.rules);
    this.#findSeries = options.findSeries ?? (() => undefined);
    this.#onAnomaly = options.onAnomaly;
    this.#maintenance = options.maintenance ?? new Maintenance([]);
    this.#maxAbsentSeries = options.maxAbsentSeries ?? 100_000;
    this.#silences = this.#newSilences();
  }

  process(reading: Reading, emit: Emit): Fate {
    const { series } = reading;
    let watched = this.#bySeries[series.id];
    if (watched === undefined) {
      watched = this.#watch(series);
      this.#bySeries[series.id] = watched;
    }
    if (watched === null) return Fate.filtered;
    const value = typeof reading.value === 'boolean' ? Number(reading.value) : reading.value;
    const isNumber = typeof value === 'number' && Number.isFinite(value);
    if (this.#isOutOfService(watched, series, reading.sourceTime)) {
      for (const watch of watched.silences) this.#silences.pause(watch, reading.receiveTime);
      return Fate.filtered;
    }
    for (const watch of watched.silences) this.#hear(watch, reading, isNumber ? value : Number.NaN, emit);
    if (!isNumber || reading.quality === Quality.bad) return Fate.filtered;
    const time = reading.sourceTime;
    // Written so that a time that is not a number is left out too.
    if (!(time > watched.lastTime)) return Fate.filtered;
    watched.lastTime = time;
    watched.stamped = reading.stamped === true;
    for (const judge of watched.judges) {
      const verdict = judge.judge(series, value, time, emit);
      if (verdict.anomaly) this.#onAnomaly?.(reading, verdict);
    }
    return Fate.aggregated;
  }

  warm(series: Series): number {
    const watched = this.#bySeries[series.id];
    if (watched === undefined || watched === null) return 0;
    let sum = 0;
    for (const judge of watched.judges) sum += judge.warm();
    return sum;
  }

  /** Only silence waits for a time; the alarms of rules that are gone are cleared at once. */
  advance(now: EpochMs, emit: Emit): void {
    this.#silences.advance(now, emit);
    if (this.#withdrawn.length === 0) return;
    for (const { raised, time } of this.#withdrawn) emit(withdrawnEvent(raised, time));
    this.#withdrawn = [];
  }

  isDue(now: EpochMs): boolean {
    return this.#withdrawn.length > 0 || this.#silences.isDue(now);
  }

  get judgesSilence(): boolean {
    return this.#silences.size > 0;
  }

  listenAgain(now: EpochMs): void {
    this.#silences.listenAgain(now);
  }

  /** Judgements live on event time; where that is the gateway's and went back, they begin anew: nothing would be newer for long. */
  step(now: EpochMs, byMs: number, emit: Emit): void {
    this.#silences.step(byMs);
    if (byMs > 0) return;
    for (const watched of this.#all()) {
      const { judges, lastTime, stamped } = watched;
      if (!stamped || lastTime <= now) continue;
      for (const { active } of judges) if (active !== undefined) emit(setBackEvent(active.raised, lastTime));
      watched.judges = judges.map(({ rule }) => new Judge(rule));
      watched.lastTime = Number.NEGATIVE_INFINITY;
    }
  }

  /**
   * A person says that what an alarm told of was fine, also one that is over: see `Judge.dismiss`. Answers with the last time of its series;
   * undefined where no rule judges that any more.
   */
  dismiss({ id, series }: AlarmEvent): Dismissed | undefined {
    const condition = conditionOf(id);
    for (const watched of this.#all()) {
      if (watched.key !== series.key) continue;
      const judges = judgesOf(watched);
      // As rules come and go an active alarm may have been raised under another name.
      const isOfAlarm = ({ active }: Judge) => active?.raised.id === id;
      const judge = judges.find(isOfAlarm) ?? judges.find(({ rule }) => `${rule.name}@${series.key}` === condition);
      if (judge !== undefined) return { hasLearnt: judge.dismiss(id), time: watched.lastTime };
    }
    return undefined;
  }

  /** Every alarm that is raised and not cleared, those of rules that are gone first, then by series in order of appearance. */
  activeAlarms(): readonly ActiveAlarm[] {
    const active: ActiveAlarm[] = this.#withdrawn.map(({ raised }) => ({ raised }));
    for (const watched of this.#all()) {
      for (const judge of judgesOf(watched)) {
        const alarm = judge.active;
        if (alarm !== undefined) active.push(alarm);
      }
    }
    return active;
  }

  get detectors(): DetectorCounts {
    let count = 0;
    let learning = 0;
    for (const watched of this.#all()) {
      for (const judge of judgesOf(watched)) {
        count++;
        if (judge.isLearning) learning++;
      }
    }
    return { count, learning };
  }

  bounds(maxSeries: number): readonly Bound[] {
    let used = 0;
    for (const watched of this.#all()) used += watched.judges.length + watched.silences.length;
    const max = (maxSeries + this.#maxAbsentSeries) * this.#rules.length;
    return [{ name: 'detectors', used, max, unit: 'detectors' }];
  }

  snapshot(): unknown {
    const series = new Map<string, WatchedSnapshot>();
    for (const watched of this.#all()) {
      const { key, lastTime, stamped } = watched;
      series.set(key, {
        lastTime,
        stamped,
        judges: new Map(judgesOf(watched).map((judge) => [judge.rule.key, judge.snapshot()])),
      });
    }
    const snapshot: DetectSnapshot = { version: 1, series, withdrawn: this.#withdrawn };
    return snapshot;
  }

  restore(snapshot: unknown): void {
    if (!isDetectSnapshot(snapshot)) {
      throw new GatewayError('Cannot restore the detectors: the snapshot is not of version 1', {
        hint: 'it was written by another version; without it the detectors learn anew and active alarms are raised again',
      });
    }
    const rules = new Map(this.#rules.map((rule) => [rule.key, rule]));
    const restored = new Map<string, WatchedSeries>();
    this.#silences = this.#newSilences();
    const withdrawn = [...snapshot.withdrawn];
    for (const [key, { lastTime, judges, stamped = false }] of newest(snapshot.series, this.#maxAbsentSeries)) {
      const known: Judge[] = [];
      for (const [ruleKey, state] of judges) {
        const rule = rules.get(ruleKey);
        if (state.raised !== undefined && rule?.alarmPolicy === undefined)
          withdrawn.push({ raised: state.raised, time: lastTime });
        if (rule === undefined) continue;
        const judge = new Judge(rule);
        judge.restore(state);
        known.push(judge);
      }
      restored.set(key, { ...this.#sorted(this.#findSeries(key), known), key, lastTime, stamped });
    }
    this.#bySeries.length = 0;
    this.#absent = restored;
    this.#withdrawn = withdrawn;
  }

  /** Finds the rules of a series that has its first reading, with what an earlier process knew of it. */
  #watch(series: Series): WatchedSeries | null {
    const earlier = this.#absent.get(series.key);
    this.#absent.delete(series.key);
    const known = earlier === undefined ? [] : judgesOf(earlier);
    const judges = this.#rules
      .filter((rule) => rule.matches(series))
      .map((rule) => known.find((judge) => judge.rule === rule) ?? new Judge(rule));
    if (judges.length === 0) return null;
    const { lastTime = Number.NEGATIVE_INFINITY, stamped = false } = earlier ?? {};
    return { ...this.#sorted(series, judges, earlier?.silences), key: series.key, lastTime, stamped };
  }

  /** Who judges values, and who silence; where the series is not known yet nobody does. */
  #sorted(series: Series | undefined, all: readonly Judge[], watching: readonly SilenceWatch[] = []) {
    if (series === undefined) return { judges: all, silences: [] };
    const silences = all.flatMap((judge) => {
      if (judge.silence === undefined) return [];
      const known = watching.find((watch) => watch.judge === judge);
      return [known ?? this.#silences.watch(series, judge, judge.silence, this.#rules.indexOf(judge.rule))];
    });
    return { judges: all.filter(({ silence }) => silence === undefined), silences };
  }

  #newSilences(): SilenceQueue {
    return new SilenceQueue((series, time) => this.#maintenance.covers(series, time));
  }

  /** In maintenance nothing is learnt, and nothing is an anomaly. */
  #isOutOfService(watched: WatchedSeries, series: Series, time: EpochMs): boolean {
    if (watched.maintenanceVersion !== this.#maintenance.version) {
      watched.maintenance = this.#maintenance.timesOf(series);
      watched.maintenanceVersion = this.#maintenance.version;
    }
    for (const times of watched.maintenance!) if (times.covers(time)) return true;
    return false;
  }

  #hear(watch: SilenceWatch, reading: Reading, value: number, emit: Emit): void {
    const verdict = watch.judge.judge(reading.series, value, reading.receiveTime, emit);
    if (verdict.anomaly) this.#onAnomaly?.(reading, verdict);
    this.#silences.heard(watch);
  }

  *#all(): Generator<WatchedSeries> {
    for (const watched of this.#bySeries) if (watched != null) yield watched;
    yield* this.#absent.values();
  }
}

function judgesOf({ judges, silences }: WatchedSeries): readonly Judge[] {
  return silences.length === 0 ? judges : [...judges, ...silences.map(({ judge }) => judge)];
}

function isDetectSnapshot(snapshot: unknown): snapshot is DetectSnapshot {
  if (typeof snapshot !== 'object' || snapshot === null) return false;
  const { version, series, withdrawn } = snapshot as Partial<DetectSnapshot>;
  return version === 1 && series instanceof Map && Array.isArray(withdrawn);
}

/** The series to keep: those with an active alarm, and of the others the most recently judged. */
function newest(series: ReadonlyMap<string, WatchedSnapshot>, most: number): Iterable<[string, WatchedSnapshot]> {
  if (series.size <= most) return series;
  const alarmed = ([, state]: [string, WatchedSnapshot]) =>
    state.judges.values().some((judge) => judge.raised !== undefined);
  const all = [...series];
  const quiet = all.filter((entry) => !alarmed(entry)).sort(([, a], [, b]) => (a.lastTime < b.lastTime ? 1 : -1));
  return [...all.filter(alarmed), ...quiet.slice(0, most)];
}
