import { DeadlineQueue, type Due } from '../../gateway/base/deadline-queue.ts';
import { untilQuiet } from './turns.ts';

interface Event extends Due {
  /** Undefined once it was cancelled. */
  action: (() => void) | undefined;
}

/**
 * The time of a simulated world, in milliseconds from its beginning: it stands still while anything runs, then leaps to the next
 * event. Events of one moment happen in the order in which they were planned.
 */
export class SimTime {
  readonly #events = new DeadlineQueue<Event>();
  #nowMs = 0;
  #planned = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Plans something; call what is returned to cancel it. */
  after(ms: number, action: () => void): () => void {
    return this.at(this.#nowMs + Math.max(0, ms), action);
  }

  /** Plans something for a moment that is not over: exactly the same one for all who name it, which a distance to it does not always give. */
  at(due: number, action: () => void): () => void {
    const event: Event = { due, order: this.#planned++, action };
    if (event.due < Number.POSITIVE_INFINITY) this.#events.push(event);
    return () => {
      event.action = undefined;
    };
  }

  /** Resolves so much later. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve);
    });
  }

  /** Lets so much time pass, or less where `until` says so after an event. */
  async pass(ms: number, until: () => boolean = () => false): Promise<void> {
    const end = this.#nowMs + ms;
    await untilQuiet();
    while (!until()) {
      const next = this.#events.peek();
      if (next === undefined || next.due > end) {
        this.#nowMs = end;
        return;
      }
      this.#events.pop();
      if (next.action === undefined) continue;
      this.#nowMs = next.due;
      next.action();
      await untilQuiet();
    }
  }
}
