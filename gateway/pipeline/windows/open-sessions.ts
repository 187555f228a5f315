import type { EpochMs } from '../../core/clock.ts';
import { type OpenWindow, OpenWindows, type ReplacedWindow } from './open-windows.ts';

/**
 * The open sessions of one series: readings that follow each other within the gap. A session is `[first, last + gap)`. A reading just at the
 * end of one still belongs to it, and one that falls between two makes them one, as in Flink.
 *
 * A result is known by its start. Where a session that has given one begins earlier now, or has become part of another, the
 * result of the old start is taken back: see `ReplacedWindow`.
 */
export class OpenSessions extends OpenWindows {
  find(time: EpochMs): readonly OpenWindow[] | undefined {
    const session = this.recent[0];
    if (session === undefined || time < session.start || time > session.end) return undefined;
    const end = time + this.definition.sessionGapMs;
    if (end <= session.end) return this.recent;
    // It may reach the next one, or not be over any more.
    if (session.passed || session !== this.open.at(-1)) return undefined;
    session.end = end;
    return this.recent;
  }

  openAt(
    time: EpochMs,
    watermark: EpochMs,
    reached: EpochMs,
    replaced: (window: ReplacedWindow) => void,
  ): readonly OpenWindow[] {
    const { open, definition } = this;
    const end = time + definition.sessionGapMs;
    // Sinks tell results apart by the millisecond.
    const start = Math.floor(time);
    let from = 0;
    while (from < open.length && open[from]!.end < time) from++;
    let to = from;
    while (to < open.length && open[to]!.start <= end) to++;
    let session = open[from];
    if (from === to || session === undefined) {
      if (end + definition.latenessMs <= reached || end <= this.floor) return [];
      if (from === 0 && this.isFull) return [];
      session = this.insert(from, start, end, watermark);
    } else {
      this.#absorb(session, from + 1, to, replaced);
      this.#grow(session, start, end, replaced);
      const isOver = session.end <= watermark;
      // One that goes on has nothing to correct: what has changed is given as by any other that has not ended.
      if (session.passed && !isOver) session.changed = false;
      session.passed = isOver;
    }
    this.recent = [session];
    return this.recent;
  }

  /** Makes sessions that follow part of one. */
  #absorb(session: OpenWindow, from: number, to: number, replaced: (window: ReplacedWindow) => void): void {
    for (const other of this.remove(from, to - from)) {
      session.end = other.end;
      session.accumulator.merge(other.accumulator);
      // Nothing is left to correct, but for the result that it has given.
      other.changed = false;
      if (other.isGiven) replaced(other);
    }
  }

  #grow(session: OpenWindow, start: EpochMs, end: EpochMs, replaced: (window: ReplacedWindow) => void): void {
    if (start < session.start && session.isGiven) {
      const { start: before, end: endBefore, revision, isPartial } = session;
      replaced({ start: before, end: endBefore, revision, isPartial });
      session.isGiven = false;
      session.isPartial = false;
    }
    session.end = Math.max(session.end, end);
    if (start >= session.start) return;
    session.revision = this.firstRevision;
    session.start = start;
  }

  /** A session has no place in time that it could be told by: one that began before the clock was set back is another one. */
  protected override endOfPast(): EpochMs {
    return Number.NEGATIVE_INFINITY;
  }

  protected override forget(): void {
    this.recent = [];
  }
}
