import type { Marks } from '../core/marks.ts';

/** How many marks may be kept. */
export interface MarkLimits {
  readonly maxMarks: number;
  readonly maxMarksPerPeer: number;
}

/** A change of a table; without an id all marks of the peer go, without a value the one under the id. */
export interface MarkChange {
  readonly peer: string;
  readonly id: number | undefined;
  readonly value: number | undefined;
}

/** The marks of a table as plain data, the oldest peers first. */
export type MarkSnapshot = readonly (readonly [
  peer: string,
  marks: readonly (readonly [id: number, value: number])[],
])[];

/**
 * Marks in memory, within bounds. What goes for want of room depends on nothing but the changes before, so that two tables with the same
 * changes are equal.
 */
export class MarkTable implements Marks {
  readonly #limits: MarkLimits;
  readonly #byPeer = new Map<string, Map<number, number>>();
  #count = 0;

  constructor(limits: MarkLimits) {
    this.#limits = limits;
  }

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** The most there can be. */
  get max(): number {
    return this.#limits.maxMarks;
  }

  /** Whether a peer has any. */
  has(peer: string): boolean {
    return this.#byPeer.has(peer);
  }

  get(peer: string, id: number): number | undefined {
    return this.#byPeer.get(peer)?.get(id);
  }

  set(peer: string, id: number, value: number): void {
    const known = this.#byPeer.get(peer);
    if (known?.has(id) !== true) this.#makeRoom(peer);
    let marks = this.#byPeer.get(peer);
    if (marks === undefined) {
      marks = new Map();
      this.#byPeer.set(peer, marks);
    }
    if (!marks.has(id)) this.#count++;
    marks.set(id, value);
  }

  delete(peer: string, id: number): boolean {
    const marks = this.#byPeer.get(peer);
    if (marks?.delete(id) !== true) return false;
    this.#count--;
    if (marks.size === 0) this.#byPeer.delete(peer);
    return true;
  }

  clear(peer: string): boolean {
    const marks = this.#byPeer.get(peer);
    if (marks === undefined) return false;
    this.#count -= marks.size;
    return this.#byPeer.delete(peer);
  }

  apply({ peer, id, value }: MarkChange): void {
    if (id === undefined) this.clear(peer);
    else if (value === undefined) this.delete(peer, id);
    else this.set(peer, id, value);
  }

  snapshot(): MarkSnapshot {
    return [...this.#byPeer].map(([peer, marks]) => [peer, [...marks]]);
  }

  restore(snapshot: MarkSnapshot): void {
    this.#byPeer.clear();
    this.#count = 0;
    for (const [peer, marks] of snapshot) for (const [id, value] of marks) this.set(peer, id, value);
  }

  #makeRoom(peer: string): void {
    const marks = this.#byPeer.get(peer);
    if (marks !== undefined && marks.size >= this.#limits.maxMarksPerPeer) {
      this.delete(peer, marks.keys().next().value!);
    } else if (this.#count >= this.#limits.maxMarks) {
      this.clear(this.#byPeer.keys().next().value!);
    }
  }
}
