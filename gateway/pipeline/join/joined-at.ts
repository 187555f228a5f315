import type { EpochMs } from '../../core/clock.ts';
import type { DerivedAt } from '../../core/inspection.ts';
import type { JoinKind } from './join-definition.ts';
import type { JoinedSeries } from './joined-series.ts';
import { endOfWindow } from './window-pairs-matcher.ts';

/** Of a series of the right that stands for many of the left, what it makes with so many of them is told. */
const MAX_LEFTS = 20;

/** Where the pairs stand that a reading of one side is in, as far as its series have derived any yet. */
export function joinedAt(source: string, kind: JoinKind, side: JoinedSeries, time: EpochMs): readonly DerivedAt[] {
  const { isLeft, group } = side;
  const { from, to } = timesOf(kind, isLeft, time);
  const by = `${source} (${isLeft ? 'left' : 'right'})`;
  const lefts = isLeft ? [side] : group.lefts.slice(0, MAX_LEFTS);
  return lefts.flatMap(({ output }) => {
    return typeof output === 'object' ? [{ by, series: output.key, from, to, mayFollow: group.matchedTo <= to }] : [];
  });
}

function timesOf(kind: JoinKind, isLeft: boolean, time: EpochMs): { readonly from: EpochMs; readonly to: EpochMs } {
  if ('withinMs' in kind) return { from: time, to: time + kind.withinMs };
  if ('asOfMs' in kind) return { from: time, to: isLeft ? time : time + kind.asOfMs };
  const last = endOfWindow(time, kind.tumblingMs) - 1;
  return { from: last, to: last };
}
