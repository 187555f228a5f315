import { expect } from 'vitest';
import type { LogStatus } from '../../gateway/core/log.ts';

interface Appended {
  readonly items: number;
  readonly ordinal: number;
}

type Fate = 'kept' | 'dropped' | 'damaged' | 'trimmed';

/**
 * What has become of every item that was ever appended to a log, by the word of those who appended, trimmed, and were told of drops:
 * kept, dropped, trimmed, or else lost in a crash before it was promised. The counts of the log must say the same.
 */
export class ItemFates {
  readonly #appended = new Map<number, Appended>();
  readonly #dropped = new Set<number>();
  readonly #lost = new Set<number>();
  /** Sums of records whose offset was given again after a crash. */
  readonly #past: Record<Fate, number> = { kept: 0, dropped: 0, damaged: 0, trimmed: 0 };
  #trimmedBefore = 0;
  #isExact = true;
  readonly #wrongDrops: string[] = [];

  /** @param ordinal what the log said of the number of items before */
  append(offset: number, items: number, ordinal: number): void {
    const before = this.#appended.get(offset);
    if (before !== undefined) this.#past[this.#fateOf(offset)] += before.items;
    this.#appended.set(offset, { items, ordinal });
    this.#dropped.delete(offset);
    this.#lost.delete(offset);
  }

  trim(before: number): void {
    this.#trimmedBefore = Math.max(this.#trimmedBefore, before);
  }

  /** The log said that so many items of these records were dropped. */
  drop(firstOffset: number, endOffset: number, items: number): void {
    let dropped = 0;
    for (let offset = firstOffset; offset < endOffset; offset++) {
      if (this.#lost.has(offset)) continue;
      dropped += this.#appended.get(offset)?.items ?? 0;
      this.#dropped.add(offset);
    }
    if (items !== dropped)
      this.#wrongDrops.push(`${items} items of records ${firstOffset} to ${endOffset}: ${dropped}`);
  }

  /** From now on some items may be counted at a wrong place, though none nowhere: a crash came when the disk took no notes. */
  blur(): void {
    this.#isExact = false;
  }

  /** After a crash: what was lost before it was promised. @param kept offsets of the records that are there */
  crashed(kept: ReadonlySet<number>, { appendedItems }: LogStatus): void {
    for (const [offset, { ordinal }] of this.#appended) {
      if (kept.has(offset)) this.#dropped.delete(offset);
      else if (ordinal >= appendedItems) this.#appended.delete(offset);
      else if (offset >= this.#trimmedBefore && !this.#dropped.has(offset)) this.#lost.add(offset);
    }
  }

  /** Compares the counts of the log with what happened. @param kept offsets of the records that are there */
  check(kept: ReadonlySet<number>, status: LogStatus): void {
    if (this.#isExact) expect(this.#wrongDrops).toEqual([]);
    const sums = { ...this.#past };
    for (const [offset, { items }] of this.#appended) sums[kept.has(offset) ? 'kept' : this.#fateOf(offset)] += items;
    const appended = sums.kept + sums.dropped + sums.damaged + sums.trimmed;
    const { appendedItems, keptItems, droppedItems, damagedItems } = status;
    const trimmed = appendedItems - keptItems - droppedItems - damagedItems;
    const counted = { appended: appendedItems, kept: keptItems, dropped: droppedItems, damaged: damagedItems, trimmed };
    if (this.#isExact) {
      expect(counted).toEqual({ ...sums, appended });
      return;
    }
    expect(counted).toMatchObject({ appended, kept: sums.kept });
    expect(counted.dropped).toBeLessThanOrEqual(sums.dropped);
    expect(counted.trimmed).toBeLessThanOrEqual(sums.trimmed);
    expect(counted.damaged).toBeGreaterThanOrEqual(sums.damaged);
  }

  /** Of a record that is not kept. */
  #fateOf(offset: number): Fate {
    if (this.#dropped.has(offset)) return 'dropped';
    return this.#lost.has(offset) ? 'damaged' : 'trimmed';
  }
}
