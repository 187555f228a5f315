import type { Thenable } from './aedes-internals.ts';

/** A value that is there already: calls `then` at once, where a promise would cost a turn of the microtask queue a message. */
export class Settled<T> implements Thenable<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  // biome-ignore lint/suspicious/noThenProperty: aedes calls `then` on what its store returns
  then<A = T, B = never>(done?: ((value: T) => A | PromiseLike<A>) | null): PromiseLike<A | B> {
    return new Settled(done === undefined || done === null ? this.#value : done(this.#value)) as PromiseLike<A | B>;
  }
}
