import type { EpochMs } from '../../core/clock.ts';
import type { Assigner } from './assigners.ts';
import { type OpenWindow, OpenWindows, type OpenWindowTally } from './open-windows.ts';
import type { PastTimes } from './past-times.ts';
import type { WindowDefinition } from './window-definition.ts';

/** The open windows of one series under a definition by which the time alone says which windows there are. */
export class OpenAlignedWindows extends OpenWindows {
  readonly #assigner: Assigner;

  constructor(definition: WindowDefinition, assigner: Assigner, tally?: OpenWindowTally) {
    super(definition, tally);
    this.#assigner = assigner;
  }

  find(time: EpochMs): readonly OpenWindow[] | undefined {
    const recent = this.recent;
    if (recent.length === 0) return undefined;
    return time >= recent[0]!.start && time < recent[recent.length - 1]!.end ? recent : undefined;
  }

  openAt(time: EpochMs, watermark: EpochMs, reached: EpochMs): readonly OpenWindow[] {
    const assigner = this.#assigner;
    const windows: OpenWindow[] = [];
    let start = assigner.startOf(time);
    for (let i = 0; i < assigner.overlap; i++) {
      const window = this.#openAt(start, watermark, reached);
      if (window !== undefined) windows.push(window);
      if (i + 1 < assigner.overlap) start = assigner.stepBack(start);
    }
    // One that was refused may find room later.
    const isComplete = windows.length === assigner.overlap;
    // A copy takes no more memory than it needs: a list that has grown does.
    if (isComplete) this.recent = windows.slice();
    return windows;
  }

  #openAt(start: EpochMs, watermark: EpochMs, reached: EpochMs): OpenWindow | undefined {
    const { open, definition } = this;
    let at = open.length;
    while (at > 0 && open[at - 1]!.start > start) at--;
    const before = open[at - 1];
    if (before?.start === start) return before;
    const end = this.#assigner.endOf(start);
    if (end + definition.latenessMs <= reached || end <= this.floor) return undefined;
    return at === 0 && this.isFull ? undefined : this.insert(at, start, end, watermark);
  }

  protected override endOfPast(now: EpochMs, past: PastTimes): EpochMs {
    const assigner = this.#assigner;
    let start = assigner.startOf(now);
    for (let i = 0; i < assigner.overlap; i++) {
      const end = assigner.endOf(start);
      if (past.meets(start, end)) return end;
      if (i + 1 < assigner.overlap) start = assigner.stepBack(start);
    }
    return Number.NEGATIVE_INFINITY;
  }

  protected override forget(): void {
    this.recent = [];
  }
}
