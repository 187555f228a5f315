import type { EpochMs } from '../core/clock.ts';
import type { Reading } from '../core/reading.ts';
import type { Result } from '../core/result.ts';
import { type Doorway, Fate, fateName, type Stage } from '../core/stage.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { ClockKnown, ClockReference, ClockStep, ClockUnknown, TimeCommand } from './command.ts';
import { DerivedReadings, graver } from './derived-readings.ts';
import { FateCounter } from './fate-counter.ts';
import type { FateMemory } from './fate-memory.ts';
import type { Ledger } from './ledger.ts';
import { ProvisionalReadings } from './provisional-readings.ts';
import type { RecentReadings } from './recent-readings.ts';
import { SeriesAlarm } from './series-alarm.ts';
import { snapshotParts } from './snapshot-parts.ts';
import type { StageSet } from './stage-set.ts';
import type { Taps } from './taps.ts';
import { WARMED_AT_ONCE, warm } from './warm.ts';

/** Recognises a redelivered reading among the last ones. */
export interface Deduplicator {
  /** At least this many of the last readings are remembered, at most twice as many. */
  readonly capacity: number;
  /** How many are remembered just now: giving just those to a new one makes it equal. */
  readonly remembered: number;
  /** Whether the reading was seen before; remembers it. */
  isDuplicate(reading: Reading): boolean;
}

/** By how much a clock has been set back, where it was by `setBackMs` before and was set by `byMs` now. */
export function setBackAfter(setBackMs: number, byMs: number): number {
  return Math.max(0, setBackMs - byMs);
}

/** The names of the snapshots that stand beside those of the parts. */
const SERIES_ALARM = 'seriesAlarm';
const ALARMS = 'alarms';

/** What the analysis is put together from. */
export interface AnalysisParts {
  readonly deduplicator: Deduplicator;
  /** Makes new stages, all alike. */
  readonly makeStages: () => StageSet;
  readonly ledger: Ledger;
  /** Where the last readings are remembered for people. */
  readonly recent: RecentReadings;
  /** Shown what passes, and told what did not go through everything. */
  readonly watchers: { readonly taps: Taps; readonly fates: FateMemory };
  /** Takes the results, in order, of everything processed until `flush` was called. */
  readonly results: (results: readonly Result[]) => void;
}

/**
 * What happens to readings once they are durable: recognised when seen before, then passed through every stage. Deterministic: the same
 * journal gives the same results, which is what makes a restart a replay.
 */
export class Analysis {
  readonly #deduplicator: Deduplicator;
  readonly #makeStages: () => StageSet;
  #stages: StageSet;
  #stageList: readonly Stage[];
  #derived: DerivedReadings;
  #seriesAlarm = new SeriesAlarm();
  readonly #ledger: Ledger;
  readonly #counter: FateCounter;
  readonly #recent: RecentReadings;
  readonly #taps: Taps;
  readonly #fates: FateMemory;
  readonly #deliver: (results: readonly Result[]) => void;
  /** What waits until it is known what time it is. */
  #provisional = new ProvisionalReadings();
  readonly #doorway: Doorway = {
    goOn: (reading) => {
      if (this.#taps.isOpen) this.#taps.reading('reduction', reading, 'passed');
      this.#settle(reading, this.#judge(reading));
    },
    leaveOut: (reading) => {
      if (this.#taps.isOpen) this.#taps.reading('reduction', reading, 'filtered');
      this.#fates.reduced(reading);
      this.#settle(reading, Fate.filtered);
    },
  };
  readonly #emit = (result: Result): void => {
    if (result.kind === 'alarm') this.#stages.alarmDesk.take(result, this.#receiveTime, this.#pass);
    else this.#pass(result);
  };
  readonly #pass = (result: Result): void => {
    this.#results.push(this.#stages.tables.tagged(result));
  };
  #results: Result[] = [];
  #receiveTime: EpochMs = 0;
  #setBackMs = 0;
  #reference: ClockReference | undefined;

  constructor(parts: AnalysisParts) {
    this.#deduplicator = parts.deduplicator;
    this.#makeStages = parts.makeStages;
    this.#stages = parts.makeStages();
    this.#stageList = Object.values(this.#stages.byName);
    this.#ledger = parts.ledger;
    this.#counter = new FateCounter(parts.ledger);
    this.#derived = this.#derivedBy(this.#stages);
    this.#recent = parts.recent;
    this.#taps = parts.watchers.taps;
    this.#fates = parts.watchers.fates;
    this.#deliver = parts.results;
  }

  /** The receive time the stages have been advanced to. It goes back only where the clock was set back. */
  get receiveTime(): EpochMs {
    return this.#receiveTime;
  }

  /** The latest receive time that was no estimate. */
  get knownTime(): EpochMs {
    return this.#provisional.knownTime ?? this.#receiveTime;
  }

  /** By how much the clock has been set back, and not ahead again since, in milliseconds: see `setBackAfter`. */
  get setBackMs(): number {
    return this.#setBackMs;
  }

  /** A moment at which an earlier process knew the time, with all steps of the clock since; undefined where there is none. */
  get reference(): ClockReference | undefined {
    return this.#reference;
  }

  /** What waits until it is known what time it is. */
  get provisional(): ProvisionalReadings {
    return this.#provisional;
  }

  /** The stages that readings pass. */
  get stages(): StageSet {
    return this.#stages;
  }

  /** Passes durable readings through the stages, in journal order. Each must be counted as in flight already. */
  process(readings: readonly Reading[]): void {
    for (let i = 0; i < readings.length; i++) {
      if (i % WARMED_AT_ONCE === 0) warm(this.#stageList, readings, i);
      const reading = readings[i]!;
      if (reading.receiveTime > this.#receiveTime) this.#passTo(reading.receiveTime);
      // One that got its time here cannot be known by it: two equal values of a millisecond are two readings. It is remembered all the same, so
      // that a replay remembers alike.
      const isKnown = this.#deduplicator.isDuplicate(reading);
      if (isKnown && reading.stamped !== true) this.#settle(reading, Fate.duplicate);
      else if (reading.provisional !== true) this.#show(believed(reading));
      else this.#takeProvisional(reading);
    }
    this.#flush();
  }

  /** Takes note of something about time, in its place among the readings. */
  tell(command: TimeCommand): void {
    if (command.type === 'time-passed') this.advance(command.time);
    else if (command.type === 'listening-again') this.#listenAgain(command.time);
    else if (command.type === 'clock-step') this.#follow(command);
    else if (command.type === 'clock-unknown') this.#doubt(command);
    else if (command.type === 'clock-known') this.#know(command);
    else this.#giveUp();
    this.#flush();
  }

  /** What is derived from readings, and how that stands. */
  get derived(): Pick<DerivedReadings, 'status'> {
    return this.#derived;
  }

  /** The alarm of the gateway itself. */
  get seriesAlarm(): SeriesAlarm {
    return this.#seriesAlarm;
  }

  /** Whether any stage judges how long nothing has come. */
  get judgesSilence(): boolean {
    return this.#stageList.some((stage) => stage.judgesSilence === true);
  }

  /** Whether anything waits for a deadline that has passed by `now`. */
  isDue(now: EpochMs): boolean {
    const { alarmDesk } = this.#stages;
    return this.#nextDue <= now || alarmDesk.isDue(now) || this.#stageList.some((stage) => stage.isDue(now));
  }

  /** Lets receive time reach `now`, so that what waits for a deadline is done. */
  advance(now: EpochMs): void {
    if (now > this.#receiveTime) this.#passTo(now);
    this.#flush();
  }

  /** Only remembers readings that an earlier process has analysed already. */
  remember(readings: readonly Reading[]): void {
    for (const reading of readings) {
      // The times of a provisional one may have been put right since.
      if (!this.#deduplicator.isDuplicate(reading) && reading.provisional !== true)
        this.#recent.recall(believed(reading));
    }
  }

  /** Lets something be done that emits steps of alarms: by a stage, which pass the desk, or by the desk itself. */
  apply(action: (emit: (result: Result) => void) => void, by: 'stage' | 'desk'): void {
    action(by === 'stage' ? this.#emit : this.#pass);
    this.#flush();
  }

  snapshot(): Record<string, unknown> {
    const parts = snapshotParts(this.#stages).map(([name, part]) => [name, part.snapshot()]);
    const alarms = this.#stages.alarmDesk.snapshot();
    return { ...Object.fromEntries(parts), [SERIES_ALARM]: this.#seriesAlarm.snapshot(), [ALARMS]: alarms };
  }

  /**
   * Goes on from the snapshots of an earlier process. All or nothing: where one of them cannot be restored this throws, and everything
   * is as it was.
   */
  restore(checkpoint: Pick<Checkpoint, 'stages' | 'receiveTime' | 'wallTime' | 'setBackMs' | 'reference'>): void {
    const { stages: snapshots, receiveTime, wallTime = receiveTime, setBackMs = 0, reference } = checkpoint;
    const stages = this.#makeStages();
    for (const [name, part] of snapshotParts(stages)) if (Object.hasOwn(snapshots, name)) part.restore(snapshots[name]);
    const seriesAlarm = new SeriesAlarm();
    seriesAlarm.restore(snapshots[SERIES_ALARM]);
    if (Object.hasOwn(snapshots, ALARMS)) stages.alarmDesk.restore(snapshots[ALARMS]);
    else stages.alarmDesk.adopt(seriesAlarm.raised === undefined ? [] : [{ raised: seriesAlarm.raised }]);
    this.#stages = stages;
    this.#stageList = Object.values(stages.byName);
    this.#derived = this.#derivedBy(stages);
    this.#seriesAlarm = seriesAlarm;
    this.#receiveTime = receiveTime;
    this.#setBackMs = setBackMs;
    this.#reference = reference;
    if (wallTime !== receiveTime) this.#step(receiveTime, wallTime);
    this.#flush();
  }

  /** Goes on with the readings that waited in an earlier process: they are counted as in flight, and the provisional ones are shown. */
  resumeWaiting(provisional: ProvisionalReadings): void {
    this.#provisional = provisional;
    for (const reading of provisional.all()) {
      this.#recent.add(reading);
      this.#counter.resume(reading);
    }
    for (const reading of this.#stages.gate.held()) this.#counter.resume(reading);
  }

  /** Shows the reading, and takes it to the gate. */
  #show(reading: Reading): void {
    if (this.#taps.isOpen) this.#taps.reading('accepted', reading);
    this.#recent.add(reading);
    this.#take(reading);
  }

  /** Takes a reading to the gate and, if it goes on, through everything; then what is derived from it. */
  #take(reading: Reading): void {
    this.#stages.gate.take(reading, this.#receiveTime, this.#doorway);
    this.#derived.drain();
  }

  #judge(reading: Reading): Fate {
    let fate = this.#derived.process(reading);
    for (const stage of this.#stageList) fate = graver(fate, stage.process(reading, this.#emit));
    return fate;
  }

  #derivedBy({ derivers }: StageSet): DerivedReadings {
    return new DerivedReadings(derivers, this.#ledger, (reading) => {
      if (this.#taps.isOpen) this.#taps.reading(reading.source, reading);
      this.#recent.add(reading);
      this.#stages.gate.take(reading, this.#receiveTime, this.#doorway);
    });
  }

  #settle(reading: Reading, fate: Fate): void {
    if (this.#taps.isOpen) this.#taps.reading('fates', reading, fateName(fate));
    if (fate === Fate.duplicate) this.#fates.duplicate(reading);
    else if (fate === Fate.late) this.#fates.late(reading, this.#stages.watermarkOf(reading.series) ?? Number.NaN);
    this.#counter.settle(reading, fate);
  }

  /** Shows the reading now, and passes it on when its time is known, or given up. */
  #takeProvisional(reading: Reading): void {
    if (this.#taps.isOpen) this.#taps.reading('accepted', reading, 'waits until the time is known');
    this.#recent.add(reading);
    const marked = this.#provisional.take(reading);
    if (marked !== undefined) this.#take(marked);
  }

  #listenAgain(time: EpochMs): void {
    for (const stage of this.#stageList) stage.listenAgain?.(time);
  }

  #follow(command: ClockStep): void {
    this.#step(command.before, command.time);
    this.#reference = command;
  }

  #doubt(command: ClockUnknown): void {
    this.#provisional.doubt(command, this.#receiveTime);
    this.#reference = undefined;
  }

  #know(command: ClockKnown): void {
    for (const reading of this.#provisional.giveUpEarlier(command)) this.#take(reading);
    this.#step(command.before, command.time);
    this.#reference = command;
    this.#recent.settle(this.#provisional.correctedBy(command));
    for (const reading of this.#provisional.release(command)) this.#take(reading);
  }

  #giveUp(): void {
    this.#recent.settle(() => undefined);
    for (const reading of this.#provisional.giveUp()) this.#take(reading);
  }

  /** The wall clock was set from `before` to `after`: receive time goes with it, and no time has passed by that. */
  #step(before: EpochMs, after: EpochMs): void {
    if (before > this.#receiveTime) this.#passTo(before);
    const byMs = after - this.#receiveTime;
    this.#setBackMs = setBackAfter(this.#setBackMs, byMs);
    if (byMs === 0) return;
    // What has its times from before must not come after it, nor what is derived of that.
    if (byMs < 0) this.#releaseAll();
    this.#derived.step(after, byMs, () => this.#releaseAll());
    this.#receiveTime = after;
    this.#stages.gate.step(after, byMs);
    this.#stages.alarmDesk.step(byMs);
    this.#stages.maintenance.step(byMs);
    for (const stage of this.#stageList) stage.step(after, byMs, this.#emit);
  }

  /** Nothing waits at the gate any more. */
  #releaseAll(): void {
    const { gate } = this.#stages;
    while (gate.nextDue < Number.POSITIVE_INFINITY) {
      gate.releaseAll(this.#receiveTime, this.#doorway);
      this.#derived.drain();
    }
  }

  /** What waits at the gate goes on, and what falls due is derived, at its time, before anything that falls due later. */
  #passTo(receiveTime: EpochMs): void {
    for (let due = this.#nextDue; due <= receiveTime; due = this.#nextDue) {
      this.#advanceTo(Math.max(due, this.#receiveTime));
    }
    this.#advanceTo(receiveTime);
  }

  /** When the gate or a deriver has a reading for the stages next; +∞ when none has. */
  get #nextDue(): EpochMs {
    return Math.min(this.#stages.gate.nextDue, this.#derived.nextDue);
  }

  /** The stages first: a reading that has waited does not tell them what time it is. */
  #advanceTo(receiveTime: EpochMs): void {
    // Whose readings are set aside is not silent.
    if (this.#provisional.isWaitingInNextSecond(this.#receiveTime, receiveTime)) this.#listenAgain(receiveTime);
    this.#receiveTime = receiveTime;
    this.#stages.alarmDesk.advance(receiveTime, this.#pass);
    for (const stage of this.#stageList) stage.advance(receiveTime, this.#emit);
    this.#derived.advance(receiveTime);
    this.#stages.gate.release(receiveTime, this.#doorway);
    this.#derived.drain();
  }

  #flush(): void {
    if (this.#results.length === 0) return;
    const results = this.#results;
    this.#results = [];
    this.#deliver(results);
  }
}

/** The reading with a time that can be believed: the one at which it came, where its own is too far ahead. */
function believed(reading: Reading): Reading {
  return reading.ahead === true
    ? { ...reading, sourceTime: reading.receiveTime, stamped: true, ahead: false }
    : reading;
}
