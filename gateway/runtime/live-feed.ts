import type { LiveEvent } from '../core/view.ts';

type Listener = (event: LiveEvent) => void;

/** Those who watch the gateway live. A listener must not throw and must bound what it keeps. */
export class LiveFeed {
  readonly #listeners = new Set<Listener>();
  #isOff = false;
  readonly #onInterest: (interested: boolean) => void;

  /** @param onInterest told when the first listener comes and when the last one leaves, so that nothing is gathered for nobody */
  constructor(onInterest: (interested: boolean) => void) {
    this.#onInterest = onInterest;
  }

  /** Whether live events are given up for the time being. */
  get isOff(): boolean {
    return this.#isOff;
  }

  /** Gives live events up: who listens is told, and left; who comes hears nothing. Or takes them up again. */
  set isOff(off: boolean) {
    this.#isOff = off;
    if (!off) return;
    this.publish({ topic: 'off' });
    const wasWatched = this.isWatched;
    this.#listeners.clear();
    if (wasWatched) this.#onInterest(false);
  }

  get isWatched(): boolean {
    return this.#listeners.size > 0;
  }

  /** Adds a listener; returns how to stop. Adds nobody while events are off. */
  subscribe(listener: Listener): () => void {
    if (this.#isOff) return () => undefined;
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#onInterest(true);
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#onInterest(false);
    };
  }

  publish(event: LiveEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
