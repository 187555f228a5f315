import type { EpochMs } from '../../core/clock.ts';
import type { WindowAt } from '../../core/inspection.ts';
import type { OpenWindow, OpenWindows } from './open-windows.ts';

/** The windows of a series that hold a time: all that the time alone decides, and the sessions that are open. */
export function windowsAt(all: readonly OpenWindows[], time: EpochMs, watermark: EpochMs): readonly WindowAt[] {
  return all.flatMap((windows) => {
    const { assigner, overlap } = windows.definition;
    if (assigner === undefined) {
      const sessions = windows.open.filter(({ start, end }) => start <= time && time <= end);
      return sessions.map((session) => shown(windows, session));
    }
    const found: WindowAt[] = [];
    let start = assigner.startOf(time);
    for (let i = 0; i < overlap; i++) {
      const open = windows.open.find((one) => one.start === start);
      found.push(open === undefined ? notOpen(windows, start, assigner.endOf(start), watermark) : shown(windows, open));
      if (i + 1 < overlap) start = assigner.stepBack(start);
    }
    return found.reverse();
  });
}

function shown({ definition }: OpenWindows, { start, end, passed, isGiven, revision }: OpenWindow): WindowAt {
  const { name: window, from, latenessMs } = definition;
  return {
    window,
    from: from?.name ?? null,
    start,
    end,
    closesAt: end + latenessMs,
    state: passed ? 'given' : 'open',
    revision: isGiven ? revision - 1 : null,
  };
}

function notOpen({ definition, floor }: OpenWindows, start: EpochMs, end: EpochMs, watermark: EpochMs): WindowAt {
  const { name: window, from, latenessMs } = definition;
  const closesAt = end + latenessMs;
  const state = end <= floor || closesAt <= watermark ? 'closed' : 'empty';
  return { window, from: from?.name ?? null, start, end, closesAt, state, revision: null };
}
