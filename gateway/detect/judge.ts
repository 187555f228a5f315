import { resultSeries } from '../base/result-series.ts';
import type { EpochMs } from '../core/clock.ts';
import type { Detector, Silence, Verdict } from '../core/detector.ts';
import { GatewayError } from '../core/errors.ts';
import type { Series } from '../core/reading.ts';
import type { AlarmEvent } from '../core/result.ts';
import type { Emit } from '../core/stage.ts';
import { Alarm } from './alarms/alarm.ts';
import { clearedEvent, raisedEvent } from './alarms/alarm-events.ts';
import type { ReadyRule } from './rule.ts';

/** An alarm that is raised and not cleared. */
export interface ActiveAlarm {
  /** The event that raised it. */
  readonly raised: AlarmEvent;
  /** Wall time of the acknowledgement as far as an earlier release has noted it here; undefined where it has not. */
  readonly acknowledgedAt?: EpochMs | undefined;
  /** How often it has come so far; see `Alarm`. */
  readonly count?: number | undefined;
}

/** Plain data of a judge. */
export interface JudgeSnapshot {
  readonly detector: unknown;
  /** Undefined when there is nothing to remember of an alarm. */
  readonly alarm: unknown;
  /** The event of the active alarm. */
  readonly raised: AlarmEvent | undefined;
  /** Those of earlier releases do not say it. */
  readonly isLearning?: boolean;
  /** What the clock was set by since the active alarm was raised, where silence is judged; 0 where a snapshot has none. */
  readonly setByMs?: number;
}

/** One rule on one series: its detector and its alarm. */
export class Judge {
  readonly rule: ReadyRule;
  readonly #detector: Detector;
  readonly #subject: string | undefined;
  /** Made at the first anomaly and dropped when idle: most series never have one. */
  #alarm: Alarm | undefined;
  #raised: AlarmEvent | undefined;
  #acknowledgedAt: EpochMs | undefined;
  #isLearning = true;
  /** See `JudgeSnapshot`. */
  #setByMs = 0;

  /** @param subject what its alarms are known by, where that is not their series: several judged together are, whichever of them stands out */
  constructor(rule: ReadyRule, subject?: string) {
    this.rule = rule;
    this.#subject = subject;
    this.#detector = rule.createDetector();
  }

  /** See `Stage.warm`. */
  warm(): number {
    return this.#detector.warm?.() ?? 0;
  }

  /** Whether it was still learning at the last value; true before the first. */
  get isLearning(): boolean {
    return this.#isLearning;
  }

  get active(): ActiveAlarm | undefined {
    if (this.#raised === undefined) return undefined;
    return { raised: this.#raised, acknowledgedAt: this.#acknowledgedAt, count: this.#alarm?.count };
  }

  /** Judges the next value of the series and emits what becomes of the alarm. */
  judge(series: Series, value: number, time: EpochMs, emit: Emit): Verdict {
    const verdict = this.#detector.judge(value, time);
    this.#isLearning = verdict.learning;
    if (verdict.anomaly || this.#alarm !== undefined) {
      // A judge of silence hears of readings that are no numbers, too.
      this.#stepAlarm(series, this.silence?.lastValue ?? value, time, verdict, emit);
    }
    return verdict;
  }

  /**
   * A person says that what an alarm told of was fine: it is over, if it is still the one, and the detector learns. Answers whether that had anything
   * to learn.
   */
  dismiss(id: string): boolean {
    if (this.#raised?.id === id) {
      this.#alarm = undefined;
      this.#raised = undefined;
    }
    return this.#detector.accept?.() ?? false;
  }

  /** Only of a rule that judges silence. */
  get silence(): Silence | undefined {
    return this.#detector.silence;
  }

  /** No reading of the series has come until `silence.dueAt`, which `time` is: emits what becomes of the alarm. */
  fallSilent(series: Series, time: EpochMs, emit: Emit): void {
    const { silence } = this.#detector;
    if (silence !== undefined) this.#stepAlarm(series, silence.lastValue, time, silence.fall(), emit);
  }

  /** Only of a rule that judges silence, whose alarm lives on receive time, too: the wall clock was set, and no time has passed by that. */
  step(byMs: number): void {
    this.silence?.step(byMs);
    this.#alarm?.step(byMs);
    this.#setByMs += byMs;
  }

  snapshot(): JudgeSnapshot {
    const detector = this.#detector.snapshot();
    const [isLearning, setByMs] = [this.#isLearning, this.#setByMs];
    return { detector, alarm: this.#alarm?.snapshot(), raised: this.#raised, isLearning, setByMs };
  }

  restore(snapshot: JudgeSnapshot): void {
    this.#detector.restore(snapshot.detector);
    this.#isLearning = snapshot.isLearning ?? false;
    this.#setByMs = snapshot.setByMs ?? 0;
    const policy = this.rule.alarmPolicy;
    if (snapshot.alarm === undefined || policy === undefined) return;
    this.#alarm = new Alarm(policy);
    const acknowledgedAt = this.#alarm.restore(snapshot.alarm);
    this.#acknowledgedAt = Number.isNaN(acknowledgedAt) ? undefined : acknowledgedAt;
    if (this.#alarm.active !== (snapshot.raised !== undefined)) {
      throw new GatewayError('Cannot restore an alarm: its state and its event disagree');
    }
    this.#raised = snapshot.raised;
  }

  #stepAlarm(series: Series, value: number, time: EpochMs, verdict: Verdict, emit: Emit): void {
    const policy = this.rule.alarmPolicy;
    if (policy === undefined) return;
    this.#alarm ??= new Alarm(policy);
    const step = this.#alarm.judge(verdict.anomaly, verdict.score, time);
    if (step === 'raised') {
      this.#raised = raisedEvent({
        series: resultSeries(series),
        subject: this.#subject,
        detector: this.rule.detector,
        ruleName: this.rule.name,
        severity: this.rule.severity,
        priority: this.rule.priority,
        time,
        since: this.silence?.since ?? this.#alarm.firstAnomaly,
        score: verdict.score,
        value,
        count: this.#alarm.count,
        seen: this.#detector.seen?.(),
        expected: this.#detector.expected(),
      });
      this.#setByMs = 0;
      emit(this.#raised);
    } else if (step === 'cleared' && this.#raised !== undefined) {
      const { lastAnomaly, count } = this.#alarm;
      const lastedMs = time - this.#setByMs - this.#raised.raisedAt;
      emit(clearedEvent(this.#raised, { time, lastAnomaly, lastedMs, count, score: verdict.score, value }));
      this.#raised = undefined;
    }
    if (this.#alarm.isIdle(time)) this.#alarm = undefined;
  }
}
