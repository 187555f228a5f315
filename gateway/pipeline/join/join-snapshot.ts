import type { EpochMs } from '../../core/clock.ts';
import type { Series } from '../../core/reading.ts';
import { listOf, numberOf, recordOf, textOf, unreadable } from '../snapshot.ts';
import type { SeriesClock, Watermarks } from '../watermark.ts';
import type { JoinGroup } from './join-group.ts';

/** Raised when the form of a snapshot changes so that an older one cannot be read. */
const VERSION = 1;
const WHAT = 'a join';

/** Plain data for `v8.serialize`; names series by key. */
export function snapshotJoin(
  form: string,
  now: EpochMs,
  watermarks: Watermarks,
  groups: readonly JoinGroup[],
): unknown {
  const parts = groups.map((group) => group.snapshot());
  return { version: VERSION, form, now, watermarks: watermarks.snapshot(), groups: parts };
}

/** What a join offers for its restoration. */
export interface JoinRestoration {
  /** Takes over the receive time that the join had reached. */
  reach(now: EpochMs): void;
  /** Restores the watermarks and returns the clock of each series. */
  clocks(watermarks: unknown): readonly SeriesClock[];
  find(key: string): Series | undefined;
  /** Makes the group that has these clocks. */
  group(key: string, clock: SeriesClock): JoinGroup;
  /** Makes a series of the group; `hasDerived` where it has derived one. */
  add(series: Series, group: JoinGroup, isLeft: boolean, clock: SeriesClock, hasDerived: boolean): void;
}

/**
 * Reads a snapshot back; that of a join of another form is left.
 *
 * @returns what could not be taken over, as a clause; undefined where nothing was lost
 */
export function restoreJoin(snapshot: unknown, form: string, restoration: JoinRestoration): string | undefined {
  const parts = recordOf(snapshot, WHAT);
  if (parts['version'] !== VERSION) throw unreadable(WHAT, `version ${String(parts['version'])}`);
  const groups = listOf(parts['groups'], WHAT);
  if (parts['form'] !== form) {
    return groups.length === 0 ? undefined : `what ${groups.length} groups held is dropped: the join has changed`;
  }
  restoration.reach(numberOf(parts['now'], WHAT));
  const clocks = restoration.clocks(parts['watermarks']);
  for (const entry of groups) restoreGroup(recordOf(entry, WHAT), clocks, restoration);
  return undefined;
}

function restoreGroup(
  parts: Readonly<Record<string, unknown>>,
  clocks: readonly SeriesClock[],
  restoration: JoinRestoration,
): void {
  const clockAt = (order: unknown): SeriesClock => {
    const clock = clocks[numberOf(order, WHAT)];
    if (clock === undefined) throw unreadable(WHAT, `no clock ${String(order)}`);
    return clock;
  };
  const [left, right] = listOf(parts['vacant'], WHAT).map((order) => (order === null ? undefined : clockAt(order)));
  const series = listOf(parts['series'], WHAT).map((entry) => {
    const [key, isLeft, order, hasDerived] = listOf(entry, WHAT);
    return { key: textOf(key, WHAT), isLeft: isLeft === true, clock: clockAt(order), hasDerived: hasDerived === true };
  });
  const anyClock = left ?? right ?? series[0]?.clock;
  if (anyClock === undefined) throw unreadable(WHAT, 'a group without series');
  const group = restoration.group(textOf(parts['key'], WHAT), anyClock);
  group.vacant = { left, right };
  for (const { key, isLeft, clock, hasDerived } of series) {
    const known = restoration.find(key);
    if (known === undefined) throw unreadable(WHAT, `no series ${key}`);
    restoration.add(known, group, isLeft, clock, hasDerived);
  }
  group.restore(parts);
}
