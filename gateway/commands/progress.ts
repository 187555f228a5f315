import type { Surroundings } from './surroundings.ts';

const FIRST_AFTER_MS = 2_000;
const EVERY_MS = 200;

/** Tells a person on a terminal how far a long command is: one line that is rewritten, begun after two seconds. */
export class Progress {
  readonly #surroundings: Surroundings;
  readonly #begun: number;
  #lastShown = Number.NEGATIVE_INFINITY;
  #shown = false;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
    this.#begun = surroundings.clock.monotonicMs();
  }

  /** Shows how far it is, if it is time to. Cheap: call it as often as you like. */
  show(text: () => string): void {
    if (!this.#surroundings.isTerminal) return;
    const now = this.#surroundings.clock.monotonicMs();
    if (now - this.#begun < FIRST_AFTER_MS || now - this.#lastShown < EVERY_MS) return;
    this.#lastShown = now;
    this.#shown = true;
    this.#surroundings.err(`\r\u001b[K${text()}`);
  }

  /** Takes the line away again. */
  done(): void {
    if (this.#shown) this.#surroundings.err('\r\u001b[K');
    this.#shown = false;
  }
}
