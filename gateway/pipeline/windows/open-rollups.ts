import type { EpochMs } from '../../core/clock.ts';
import type { Window } from '../../core/window.ts';
import type { Accumulator } from '../aggregate/accumulator.ts';
import type { Assigner } from './assigners.ts';
import { OpenAlignedWindows } from './open-aligned-windows.ts';
import type { OpenWindow, OpenWindows, OpenWindowTally } from './open-windows.ts';
import type { WindowDefinition } from './window-definition.ts';

/**
 * The open windows of one series that are made of smaller ones, their parts. A part that has closed is merged into its whole once and for
 * all; one that is open may still change, so it stays its own, and is merged into a copy whenever the whole is to be given.
 */
export class OpenRollups extends OpenAlignedWindows {
  readonly #parts: OpenWindows;

  constructor(definition: WindowDefinition, assigner: Assigner, tally: OpenWindowTally, parts: OpenWindows) {
    super(definition, assigner, tally);
    this.#parts = parts;
    parts.rollups.push(this);
  }

  /** The open window that a part lies in. */
  wholeOf({ start }: Window): OpenWindow | undefined {
    return this.open.findLast((whole) => whole.start <= start && start < whole.end);
  }

  /** The window that a part lies in, opened where it is not yet; undefined where it has closed. */
  openFor(part: Window, watermark: EpochMs): OpenWindow | undefined {
    // Whether readings of the part are late was asked when it was opened.
    return this.openAt(part.start, watermark, Number.NEGATIVE_INFINITY)[0];
  }

  /** What has ended would be made of those parts only that are still open: that must not replace what may have been given. */
  override beginAfter(watermark: EpochMs): void {
    this.floor = Math.max(this.floor, watermark);
  }

  override isNew({ isGiven, changed }: OpenWindow): boolean {
    return !isGiven && !changed;
  }

  override contentOf(whole: OpenWindow): Accumulator {
    const content = this.definition.plan.accumulator();
    content.merge(whole.accumulator);
    for (const part of this.#partsOf(whole)) content.merge(this.#parts.contentOf(part));
    return content;
  }

  override awaitParts(whole: OpenWindow): void {
    for (const part of this.#partsOf(whole)) {
      part.isUntold = true;
      this.#parts.awaitParts(part);
    }
  }

  #partsOf({ start, end }: Window): readonly OpenWindow[] {
    return this.#parts.open.filter((part) => part.start >= start && part.start < end);
  }

  /** There are no more of them than of their parts, and one: those have a bound. */
  protected override get isFull(): boolean {
    return false;
  }
}
