import type { MarkChange, MarkTable } from '../base/mark-table.ts';
import type { Marks } from '../core/marks.ts';

/** The marks of one source: what changes is journaled. */
export class SourceMarks implements Marks {
  readonly #prefix: string;
  readonly #journal: (change: MarkChange) => void;
  readonly #table: MarkTable;

  constructor(source: string, table: MarkTable, journal: (change: MarkChange) => void) {
    // No name has a line break.
    this.#prefix = `${source}\n`;
    this.#journal = journal;
    this.#table = table;
  }

  get(peer: string, id: number): number | undefined {
    return this.#table.get(this.#prefix + peer, id);
  }

  set(peer: string, id: number, value: number): void {
    this.#change({ peer: this.#prefix + peer, id, value });
  }

  delete(peer: string, id: number): boolean {
    if (this.get(peer, id) === undefined) return false;
    this.#change({ peer: this.#prefix + peer, id, value: undefined });
    return true;
  }

  clear(peer: string): boolean {
    if (!this.#table.has(this.#prefix + peer)) return false;
    this.#change({ peer: this.#prefix + peer, id: undefined, value: undefined });
    return true;
  }

  #change(change: MarkChange): void {
    this.#table.apply(change);
    this.#journal(change);
  }
}
