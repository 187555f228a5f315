import { asCount } from './checked-file.ts';

/** Where the items of all other series are counted. */
export const OTHERS = '(others)';

const MAX_KEYS = 1000;
/** All keys together: they must fit into the file `state`. */
const MAX_KEY_CHARACTERS = 64 * 1024;

/** Items by series, of a bounded number of series: those that come first. */
export class SeriesCounts {
  readonly #counts = new Map<string, number>();
  #characters = 0;

  /** Takes over what `entries` gave; what is no such thing is left out. */
  load(entries: unknown): void {
    if (!Array.isArray(entries)) return;
    for (const entry of entries) {
      if (!Array.isArray(entry)) continue;
      const [key, items] = entry as unknown[];
      const known = asCount(items);
      if (typeof key === 'string' && known !== undefined) this.#add(key, known);
    }
  }

  /** Adds the items of some series. */
  add(items: ReadonlyMap<string, number>): void {
    for (const [key, more] of items) this.#add(key, more);
  }

  /** All counts, to be saved. */
  entries(): readonly (readonly [string, number])[] {
    return [...this.#counts];
  }

  /** The counts by key; what is not known of `total` is that of `OTHERS`. */
  toRecord(total: number): Readonly<Record<string, number>> {
    let rest = total;
    for (const items of this.#counts.values()) rest -= items;
    const all = rest > 0 ? [...this.#counts, [OTHERS, rest] as const] : this.#counts;
    return Object.fromEntries(all);
  }

  #add(key: string, items: number): void {
    const before = this.#counts.get(key);
    if (before === undefined) {
      const isFull = this.#counts.size >= MAX_KEYS || this.#characters + key.length > MAX_KEY_CHARACTERS;
      if (isFull || items === 0) return;
      this.#characters += key.length;
    }
    this.#counts.set(key, (before ?? 0) + items);
  }
}
