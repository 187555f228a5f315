import { isoTime } from '../base/iso-time.ts';
import type { SeriesRegistry } from '../base/series-registry.ts';
import type { AlarmRow } from '../core/alarm.ts';
import type { EpochMs } from '../core/clock.ts';
import type {
  ConsumersOf,
  ExplainedDerived,
  ExplainedWindow,
  ExplainQuery,
  Explanation,
  Inspection,
  SeriesConsumers,
  TapListener,
  TapQuery,
  TapStage,
  Verdict,
  WindowAt,
} from '../core/inspection.ts';
import { deviceKey, type Series } from '../core/reading.ts';
import type { History } from '../core/sink.ts';
import type { ReadingRow } from '../core/view.ts';
import type { DeadLetters } from './dead-letters.ts';
import { FateMemory } from './fate-memory.ts';
import type { RecentReadings } from './recent-readings.ts';
import type { StageSet } from './stage-set.ts';
import { Taps } from './taps.ts';

/** Dead letters that are looked through for those of a device, and how many of them are told. */
const LETTERS_LOOKED_AT = 200;
const LETTERS_TOLD = 5;
/** Alarms of a series that are looked through. */
const ALARMS_LOOKED_AT = 1_000;
/** Readings that are told of what a deriver has made of one. */
const DERIVED_TOLD = 10;
/** Windows that readings end are looked for among so many results. */
const RESULTS_LOOKED_AT = 200;

/** What the inspector looks at. */
export interface InspectorParts {
  readonly namedStages: readonly TapStage[];
  readonly registry: SeriesRegistry;
  readonly recent: RecentReadings;
  readonly deadLetters: Pick<DeadLetters, 'newest'>;
  readonly history: History;
  readonly stages: () => StageSet;
  readonly consumersOf: ConsumersOf;
}

/** Looks into the pipeline for people. What it tells of a reading is what is still remembered: nothing is computed again. */
export class Inspector implements Inspection {
  /** Those who watch; shown what passes. */
  readonly taps: Taps;
  /** Told what did not go through everything. */
  readonly fates = new FateMemory();
  readonly #parts: InspectorParts;

  constructor(parts: InspectorParts) {
    this.#parts = parts;
    this.taps = new Taps(parts.namedStages);
  }

  get stages(): readonly TapStage[] {
    return this.taps.stages;
  }

  tap(query: TapQuery, listener: TapListener): (() => void) | undefined {
    return this.taps.open(query, listener);
  }

  async explain({ series: key, time }: ExplainQuery): Promise<Explanation | undefined> {
    const { registry, recent, stages, consumersOf } = this.#parts;
    const series = registry.get(key);
    if (series === undefined) return undefined;
    const refused = await this.#refused(series);
    const held = recent.query(series, { series: key, limit: Number.POSITIVE_INFINITY });
    const readings = held.filter(({ sourceTime }) => sourceTime === time);
    const { lateAt, isReduced, duplicates } = this.fates.of(series, time);
    const consumers = consumersOf(series);
    const isWaiting = [...stages().gate.held()].some((one) => one.series === series && one.sourceTime === time);
    const verdict = this.#verdict({ series, time, readings, lateAt, isReduced, isWaiting, consumers });
    return {
      series: key,
      time,
      verdict,
      summary: this.#summary(verdict, consumers, lateAt, recent.isRecalled(series, time)),
      readings,
      duplicates,
      watermarkThen: lateAt ?? null,
      watermark: stages().watermarkOf(series) ?? null,
      nearest: nearest(held, time),
      windows: this.#windows(series, time, consumers).map((one) => ({ ...one, holds: holds(one, verdict, lateAt) })),
      consumers,
      derived: this.#derived(series, time, verdict),
      alarms: this.#alarms(key, time),
      refused,
    };
  }

  #verdict(seen: {
    readonly series: Series;
    readonly time: EpochMs;
    readonly readings: readonly ReadingRow[];
    readonly lateAt: EpochMs | undefined;
    readonly isReduced: boolean;
    readonly isWaiting: boolean;
    readonly consumers: SeriesConsumers;
  }): Verdict {
    if (seen.isWaiting) return 'waiting';
    if (seen.lateAt !== undefined) return 'late';
    if (seen.isReduced) return 'reduced';
    if (seen.readings.length === 0 || this.#parts.recent.isRecalled(seen.series, seen.time)) return 'unknown';
    const { windows, readBy, detectors } = seen.consumers;
    return windows.length + readBy.length + detectors.length === 0 ? 'unused' : 'taken';
  }

  #summary(verdict: Verdict, consumers: SeriesConsumers, lateAt: EpochMs | undefined, isRecalled: boolean): string {
    const { forgotten } = this.fates;
    switch (verdict) {
      case 'taken': {
        const doubt = ` Of ${forgotten} others that were late or left out the notes are gone: it may be one of them.`;
        return `It went through everything that uses its series.${forgotten === 0 ? '' : doubt}`;
      }
      case 'late': {
        const then = lateAt === undefined || Number.isNaN(lateAt) ? 'was not known' : `stood at ${isoTime(lateAt)}`;
        return `It came too late for a window that holds it: the watermark ${then}.`;
      }
      case 'reduced':
        return `The reduction left it out: ${consumers.reduction ?? 'by a rule that is gone'}.`;
      case 'waiting':
        return 'The reduction holds it until the next reading says whether it goes on.';
      case 'unused':
        return 'It was accepted, but no window, detector, join or derivation means its series.';
      case 'unknown':
        return isRecalled
          ? 'It came before the gateway was started: what became of it is not remembered.'
          : 'No reading of this time is remembered: it never came, was refused, or came too long ago.';
    }
  }

  /** With what the history knows of those that are not open any more. */
  #windows(series: Series, time: EpochMs, { windows }: SeriesConsumers): readonly WindowAt[] {
    const { history, stages } = this.#parts;
    const known = stages().windowsAt(series, time);
    const results = (window: string, from: EpochMs | undefined, to: EpochMs) =>
      history.aggregates({ series: series.key, window, from, to, limit: RESULTS_LOOKED_AT });
    const closed = windows
      // Time alone says of the others which windows hold it: all of those are known.
      .filter((name) => !known.some(({ window, closesAt }) => window === name && closesAt !== null))
      .flatMap((name) => results(name, undefined, time + 1).filter(({ start, end }) => start <= time && time <= end))
      .filter((result) => !known.some(({ window, start }) => window === result.window && start === result.start))
      .map(({ window, start, end, revision }): WindowAt => {
        return { window, from: null, start, end, closesAt: null, state: 'closed', revision };
      });
    const revised = known.map((one) => {
      const revision = one.revision ?? results(one.window, one.start, one.start + 1)[0]?.revision ?? null;
      return { ...one, revision };
    });
    return [...revised, ...closed];
  }

  #derived(series: Series, time: EpochMs, verdict: Verdict): readonly ExplainedDerived[] {
    if (verdict !== 'taken' && verdict !== 'late') return [];
    const { recent, registry, stages } = this.#parts;
    return stages()
      .derivers.flatMap((deriver) => deriver.derivedAt(series, time))
      .map((one) => {
        const made = registry.get(one.series);
        const query = { series: one.series, from: one.from, limit: Number.POSITIVE_INFINITY };
        const rows = made === undefined ? [] : recent.query(made, query);
        return { ...one, readings: rows.filter(({ sourceTime }) => sourceTime <= one.to).slice(0, DERIVED_TOLD) };
      });
  }

  #alarms(key: string, time: EpochMs): readonly AlarmRow[] {
    const alarms = this.#parts.history.alarms({ series: key, limit: ALARMS_LOOKED_AT });
    return alarms.filter(({ raisedAt, clearedAt }) => raisedAt <= time && (clearedAt === null || time < clearedAt));
  }

  async #refused(series: Series): Promise<Explanation['refused']> {
    const device = deviceKey(series);
    const letters = await this.#parts.deadLetters.newest(LETTERS_LOOKED_AT);
    return letters
      .filter((letter) => letter.device === device)
      .slice(0, LETTERS_TOLD)
      .map(({ time, reason, subject }) => ({ time, reason, subject }));
  }
}

function nearest(rows: readonly ReadingRow[], time: EpochMs): Explanation['nearest'] {
  const times = rows.map(({ sourceTime }) => sourceTime);
  const before = times.filter((one) => one < time);
  const after = times.filter((one) => one > time);
  return {
    before: before.length === 0 ? null : before.reduce((a, b) => Math.max(a, b)),
    after: after.length === 0 ? null : after.reduce((a, b) => Math.min(a, b)),
  };
}

/** Whether a window holds the reading. Of a late one it is told by the watermark that there was when it came. */
function holds({ state, closesAt }: WindowAt, verdict: Verdict, lateAt: EpochMs | undefined): ExplainedWindow['holds'] {
  if (state === 'empty' || verdict === 'reduced' || verdict === 'waiting') return false;
  if (verdict === 'taken') return true;
  if (verdict !== 'late' || closesAt === null || lateAt === undefined || Number.isNaN(lateAt)) return null;
  return closesAt > lateAt;
}
