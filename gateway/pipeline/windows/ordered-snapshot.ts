import type { EpochMs } from '../../core/clock.ts';
import { listOf, numberOf, numbersOf, recordOf, textOf, unreadable } from '../snapshot.ts';
import type { EarlyResults } from './early-results.ts';
import type { OrderedDefinition } from './ordered-definition.ts';
import type { OrderedSeries } from './ordered-series.ts';
import { OrderedWindows } from './ordered-windows.ts';

/** Raised when the form of the snapshot changes so that an older one cannot be read. */
const VERSION = 1;
const WHAT = 'the windows that readings end';

/** What the stage hands over for its snapshot. */
export interface OrderedStageState {
  readonly now: EpochMs;
  readonly definitions: readonly OrderedDefinition[];
  readonly early: EarlyResults;
  readonly series: readonly OrderedSeries[];
}

/** Plain data for `v8.serialize`; names series by key, and definitions by their name, under which their form is told. */
export function snapshotOrdered({ now, definitions, early, series }: OrderedStageState): unknown {
  return {
    version: VERSION,
    now,
    definitions: definitions.map((definition) => [definition.name, definition.form, early.dueAt(definition)]),
    series: series.map(({ series: { key }, newest, newestAt, stamped, lastTurn, waiting, disorder, windows }) => [
      key,
      [newest, newestAt, lastTurn],
      stamped,
      waiting.snapshot(),
      windows.map((one) => [one.definition.name, one.snapshot()]),
      disorder.snapshot(),
    ]),
  };
}

/** What the stage offers for its restoration. */
export interface OrderedRestoration {
  /** Makes the state of the series with this key; null where no definition means it. */
  meet(key: string): OrderedSeries | null;
  readonly early: EarlyResults;
}

/**
 * Reads a snapshot back. Windows go on under the definition of the same name and form; where only the name is the same, the revisions of its
 * results go on.
 *
 * @returns the receive time that the stage had reached, and how many open windows were dropped, as their definition has changed or gone
 */
export function restoreOrdered(
  snapshot: unknown,
  definitions: readonly OrderedDefinition[],
  restoration: OrderedRestoration,
): { readonly now: EpochMs; readonly dropped: number } {
  const parts = recordOf(snapshot, WHAT);
  if (parts['version'] !== VERSION) throw unreadable(WHAT, `version ${String(parts['version'])}`);
  const unchanged = new Set<string>();
  for (const entry of listOf(parts['definitions'], WHAT)) {
    const [name, form, dueAt] = listOf(entry, WHAT);
    const definition = definitions.find((candidate) => candidate.name === name && candidate.form === form);
    if (definition === undefined) continue;
    unchanged.add(definition.name);
    restoration.early.resume(definition, numberOf(dueAt, WHAT));
  }
  let dropped = 0;
  for (const entry of listOf(parts['series'], WHAT)) {
    const [key, times, stamped, waiting, all, disorder] = listOf(entry, WHAT);
    const state = restoration.meet(textOf(key, WHAT));
    if (state !== null) {
      const [newest, newestAt, lastTurn] = numbersOf(times, 3, WHAT);
      state.newest = newest!;
      state.newestAt = newestAt!;
      state.lastTurn = lastTurn!;
      state.stamped = stamped === true;
      state.disorder.restore(disorder);
      // Where no window takes readings in the order of time any more, nothing waits.
      if (state.byTime.length > 0) state.waiting.restore(waiting);
    }
    for (const one of listOf(all, WHAT)) {
      const [name, windows] = listOf(one, WHAT);
      const target = state?.windows.find(({ definition }) => definition.name === name);
      if (target !== undefined && unchanged.has(target.definition.name)) target.restore(windows);
      else dropped += OrderedWindows.replacedBy(target, windows);
    }
  }
  return { now: numberOf(parts['now'], WHAT), dropped };
}
