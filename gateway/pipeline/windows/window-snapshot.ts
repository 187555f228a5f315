import type { EpochMs } from '../../core/clock.ts';
import { listOf, numberOf, recordOf, textOf, unreadable } from '../snapshot.ts';
import type { SeriesClock } from '../watermark.ts';
import type { Correction } from './corrections.ts';
import type { EarlyResults } from './early-results.ts';
import { OpenWindow, type OpenWindows, REVISIONS } from './open-windows.ts';
import type { SeriesState } from './series-state.ts';
import type { WindowDefinition } from './window-definition.ts';

/** Raised when the form of a window snapshot changes so that an older one cannot be read. */
const VERSION = 1;
const WHAT = 'the windows of a series';

/** The state of a window stage; `watermarks` is a snapshot already. */
export interface WindowStageState {
  readonly now: EpochMs;
  readonly correctAt: EpochMs;
  /** A snapshot already. */
  readonly past: unknown;
  readonly definitions: readonly WindowDefinition[];
  readonly early: EarlyResults;
  readonly watermarks: unknown;
  /** In the order in which the watermarks track them. */
  readonly series: readonly SeriesState[];
  readonly corrections: readonly Correction[];
}

/** Plain data for `v8.serialize`; names series by key and definitions by their form. */
export function snapshotWindows(stage: WindowStageState): unknown {
  const { now, correctAt, past, definitions, early, watermarks, series, corrections } = stage;
  return {
    version: VERSION,
    now,
    correctAt,
    past,
    definitions: definitions.map(({ form }) => form),
    early: definitions.map((definition) => early.dueAt(definition)),
    watermarks,
    series: series.map((state) => [
      state.series.key,
      state.windows.map(({ definition, floor, open, firstRevision, lateCount }) => [
        definitions.indexOf(definition),
        floor,
        open.map(({ start, end, revision, changed, passed, accumulator, isPartial, isGiven }) => [
          start,
          end,
          revision,
          changed,
          passed,
          accumulator.snapshot(),
          isPartial,
          isGiven,
        ]),
        firstRevision,
        lateCount,
      ]),
    ]),
    corrections: corrections
      .filter(({ window }) => window.changed)
      .map(({ state, windows, window }) => [state.clock.order, definitions.indexOf(windows.definition), window.start]),
  };
}

/** What the stage offers for its restoration. */
export interface WindowRestoration {
  /** Restores the watermarks and returns the clock of each series. */
  clocks(watermarks: unknown): readonly SeriesClock[];
  /** Makes the state of the series with this key. */
  add(key: string, clock: SeriesClock): SeriesState;
  readonly early: EarlyResults;
}

/** What a snapshot held beside the open windows themselves, which went to `WindowRestoration.add`. */
export interface RestoredWindows {
  /** Receive time that the stage had reached. */
  readonly now: EpochMs;
  /** Receive time at which the corrections are due; infinite when there are none. */
  readonly correctAt: EpochMs;
  readonly corrections: Correction[];
  /** Undefined in a snapshot of an earlier release. */
  readonly past: unknown;
  /** Open windows whose definition has changed or gone. */
  readonly dropped: number;
  /** The definitions that the snapshot knew, as they are. */
  readonly resumed: ReadonlySet<WindowDefinition>;
}

/**
 * Reads a snapshot back. Windows go on under the definition of the same name, shape and aggregates; where only the name is the same, the revisions
 * of its results go on.
 */
export function restoreWindows(
  snapshot: unknown,
  definitions: readonly WindowDefinition[],
  restoration: WindowRestoration,
): RestoredWindows {
  const parts = recordOf(snapshot, 'the windows');
  if (parts['version'] !== VERSION) throw unreadable('the windows', `version ${String(parts['version'])}`);
  const forms = listOf(parts['definitions'], 'the windows').map((form) => ordered(textOf(form, 'the windows')));
  const previous = forms.map((form) => definitions.find((candidate) => candidate.form === form));
  const early = parts['early'] === undefined ? [] : listOf(parts['early'], 'the early results');
  for (const [at, dueAt] of early.entries()) {
    const definition = previous[at];
    if (definition !== undefined) restoration.early.resume(definition, numberOf(dueAt, 'the early results'));
  }
  const clocks = restoration.clocks(parts['watermarks']);
  let dropped = 0;
  const all = listOf(parts['series'], 'the windows').map((entry, order) => {
    const [key, lists] = listOf(entry, WHAT);
    const clock = clocks[order];
    if (clock === undefined) throw unreadable('the windows', `no clock for series ${order}`);
    const state = restoration.add(textOf(key, 'the key of a series'), clock);
    for (const list of listOf(lists, WHAT)) {
      const [at, floor, windows, firstRevision = 0, lateCount = 0] = listOf(list, WHAT);
      const definition = previous[numberOf(at, 'the windows')];
      const target = state.windows.find((candidate) => candidate.definition === definition);
      const open = listOf(windows, WHAT);
      if (target === undefined) {
        dropped += open.length;
        // Sinks have results under its name: those of the new form follow on them.
        const name = nameIn(forms[numberOf(at, 'the windows')]!);
        const successor = state.windows.find((candidate) => candidate.definition.name === name);
        if (successor === undefined) continue;
        successor.firstRevision = numberOf(firstRevision, WHAT) + REVISIONS;
        // What was given stays as it is: a part of a window must not replace the whole.
        successor.floor = Math.max(numberOf(floor, WHAT), ...open.map(endOfPassed));
        successor.lateCount = numberOf(lateCount, WHAT);
        continue;
      }
      // What had closed stays closed, even where more lateness is allowed now: a part of a window must not replace the whole.
      target.floor = numberOf(floor, WHAT);
      target.firstRevision = numberOf(firstRevision, WHAT);
      target.lateCount = numberOf(lateCount, WHAT);
      for (const window of open) restoreWindow(window, target);
    }
    return state;
  });
  const corrections: Correction[] = [];
  for (const entry of listOf(parts['corrections'], 'the corrections')) {
    const [order, at, start] = listOf(entry, 'a correction');
    const state = all[numberOf(order, 'a correction')];
    const definition = previous[numberOf(at, 'a correction')];
    const windows = state?.windows.find((candidate) => candidate.definition === definition);
    const window = windows?.open.find((candidate) => candidate.start === start);
    if (state !== undefined && windows !== undefined && window !== undefined)
      corrections.push({ state, windows, window });
  }
  return {
    now: numberOf(parts['now'], 'the windows'),
    correctAt: numberOf(parts['correctAt'], 'the windows'),
    corrections,
    past: parts['past'],
    dropped,
    resumed: new Set(previous.filter((definition) => definition !== undefined)),
  };
}

/** A form with its aggregates in order: an earlier release wrote them in that of the configuration. */
function ordered(form: string): string {
  const parts = listOf(JSON.parse(form), WHAT);
  return JSON.stringify(parts.map((part) => (Array.isArray(part) ? part.toSorted() : part)));
}

/** The name of a definition, as its form tells it. */
function nameIn(form: string): unknown {
  const [name] = listOf(JSON.parse(form), WHAT);
  return name;
}

/** Where a window ends whose end the watermark has passed, so that it has given its result. */
function endOfPassed(snapshot: unknown): EpochMs {
  const [, end, , , passed] = listOf(snapshot, 'a window');
  return passed === true ? numberOf(end, 'a window') : Number.NEGATIVE_INFINITY;
}

function restoreWindow(snapshot: unknown, windows: OpenWindows): void {
  const [start, end, revision, changed, passed, accumulator, isPartial, isGiven] = listOf(snapshot, 'a window');
  const window = new OpenWindow(
    numberOf(start, 'a window'),
    numberOf(end, 'a window'),
    windows.definition.plan.accumulator(),
    passed === true,
  );
  window.revision = numberOf(revision, 'a window');
  window.changed = changed === true;
  window.isPartial = isPartial === true;
  // An earlier release did not say so.
  window.isGiven = isGiven === undefined ? window.revision > windows.firstRevision : isGiven === true;
  window.accumulator.restore(accumulator);
  windows.resume(window);
}
