import { expect } from 'vitest';
import type { LogStatus } from '../../gateway/core/log.ts';

interface Appended {
  readonly items: number;
  readonly ordinal: number;
  /** Those of its items that were thinned out: they are dropped, whatever becomes of the others. */
  thinned: number;
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
    if (before !== undefined) this.#count(this.#past, before, this.#fateOf(offset));
    this.#appended.set(offset, { items, ordinal, thinned: 0 });
    this.#dropped.delete(offset);
    this.#lost.delete(offset);
  }

  trim(before: number): void {
    this.#trimmedBefore = Math.max(this.#trimmedBefore, before);
  }

  /** So many items of a record were thinned out, by now. */
  thin(offset: number, thinned: number): void {
    this.#appended.get(offset)!.thinned = thinned;
  }

  /** The log said that so many items of these records were dropped. */
  drop(firstOffset: number, endOffset: number, items: number): void {
    let dropped = 0;
    for (let offset = firstOffset; offset < endOffset; offset++) {
      if (this.#lost.has(offset)) continue;
      const record = this.#appended.get(offset);
      dropped += record === undefined ? 0 : record.items - record.thinned;
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
    for (const [offset, { ordinal, items, thinned }] of this.#appended) {
      if (kept.has(offset)) this.#dropped.delete(offset);
      else if (ordinal >= appendedItems) this.#appended.delete(offset);
      else if (offset >= this.#trimmedBefore && !this.#dropped.has(offset) && (thinned < items || items === 0))
        this.#lost.add(offset);
    }
  }

  /** Compares the counts of the log with what happened. @param kept offsets of the records that are there */
  check(kept: ReadonlySet<number>, status: LogStatus): void {
    if (this.#isExact) expect(this.#wrongDrops).toEqual([]);
    const sums = { ...this.#past };
    for (const [offset, record] of this.#appended)
      this.#count(sums, record, kept.has(offset) ? 'kept' : this.#fateOf(offset));
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

  #count(sums: Record<Fate, number>, { items, thinned }: Appended, fate: Fate): void {
    sums.dropped += thinned;
    sums[fate] += items - thinned;
  }

  /** Of a record that is not kept. */
  #fateOf(offset: number): Fate {
    if (this.#dropped.has(offset)) return 'dropped';
    return this.#lost.has(offset) ? 'damaged' : 'trimmed';
  }
}
