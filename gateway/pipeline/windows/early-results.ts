import type { EpochMs } from '../../core/clock.ts';
import type { Computation } from './computation.ts';

/** When which windows give what they have before their end. */
export class EarlyResults {
  /** Receive time of the next round of each definition; +∞ where nothing has changed since the last. */
  readonly #dueAt = new Map<Computation, EpochMs>();

  constructor(definitions: readonly Computation[]) {
    for (const definition of definitions) {
      if (definition.isEarly) this.#dueAt.set(definition, Number.POSITIVE_INFINITY);
    }
  }

  /** A window that has not ended has changed. */
  expect(definition: Computation, now: EpochMs): void {
    const dueAt = this.#dueAt.get(definition);
    if (dueAt !== undefined) this.#dueAt.set(definition, Math.min(dueAt, now + definition.earlyMs));
  }

  /** The next round of all. */
  get nextAt(): EpochMs {
    let next = Number.POSITIVE_INFINITY;
    for (const dueAt of this.#dueAt.values()) if (dueAt < next) next = dueAt;
    return next;
  }

  /** The definitions whose round has come, which are not due any more then. */
  takeDue(now: EpochMs): ReadonlySet<Computation> {
    const due = new Set<Computation>();
    for (const [definition, dueAt] of this.#dueAt) {
      if (dueAt > now) continue;
      due.add(definition);
      this.#dueAt.set(definition, Number.POSITIVE_INFINITY);
    }
    return due;
  }

  /** The wall clock was set: no round is nearer by that. */
  step(byMs: number): void {
    for (const [definition, dueAt] of this.#dueAt) this.#dueAt.set(definition, dueAt + byMs);
  }

  /** The receive time of the next round of a definition; +∞ where there is none. */
  dueAt(definition: Computation): EpochMs {
    return this.#dueAt.get(definition) ?? Number.POSITIVE_INFINITY;
  }

  /** Goes on as an earlier process was. */
  resume(definition: Computation, dueAt: EpochMs): void {
    if (this.#dueAt.has(definition)) this.#dueAt.set(definition, dueAt);
  }
}
