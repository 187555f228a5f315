import { followSignal } from '../base/follow-signal.ts';
import { SinkError } from '../core/sink.ts';

/** The writes of a sink that are under way: they end when their own signal aborts and when the sink stops, and a stopped sink begins none. */
export class RunningWrites {
  readonly #sink: string;
  readonly #running = new Map<Promise<unknown>, AbortController>();
  #isStopped = false;

  /** @param sink as it is called in the error of a write after the stop: 'MQTT' */
  constructor(sink: string) {
    this.#sink = sink;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Writes are begun again, as they are before the first stop. */
  start(): void {
    this.#isStopped = false;
  }

  /** Aborts what is under way, and is over when all of it is. Whether a write failed is for who asked for it. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const controller of this.#running.values()) controller.abort();
    await Promise.allSettled(this.#running.keys());
  }

  /** Runs a write under a signal that also the stop aborts. @throws {SinkError} where the sink is stopped */
  async run<T>(signal: AbortSignal, write: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#isStopped) throw new SinkError(`The ${this.#sink} sink is stopped`, { kind: 'transient' });
    const controller = new AbortController();
    const unfollow = followSignal(signal, controller);
    const writing = write(controller.signal);
    this.#running.set(writing, controller);
    try {
      return await writing;
    } finally {
      unfollow();
      this.#running.delete(writing);
    }
  }
}
