import type { ClientSubscription } from 'node-opcua-client';
import { messageOf } from '../../gateway/core/errors.ts';

/** Readings that may wait for the journal before the server is asked to hold its values back. */
export const MAX_UNACKNOWLEDGED = 50_000;

/**
 * Bounds what waits for the journal: when it is too much, the server is told to stop publishing, and keeps its values in the queues
 * of the monitored items, which is what they are for. What is already under way still comes: a few messages.
 */
export class BackPressure {
  readonly #subscription: Pick<ClientSubscription, 'setPublishingMode'>;
  readonly #counts: { unacknowledged: number };
  readonly #fail: (reason: string) => void;
  #wanted = false;
  #changing = false;
  #heldBack = false;

  /**
   * @param counts of the source: what an earlier connection delivered waits for the same journal
   * @param fail told when the server does not obey
   */
  constructor(
    subscription: Pick<ClientSubscription, 'setPublishingMode'>,
    counts: { unacknowledged: number },
    fail: (reason: string) => void,
  ) {
    this.#subscription = subscription;
    this.#counts = counts;
    this.#fail = fail;
  }

  /** So many readings wait now in addition. */
  add(count: number): void {
    this.#counts.unacknowledged += count;
    this.check();
  }

  /** So many are durable. */
  remove(count: number): void {
    this.#counts.unacknowledged -= count;
    this.check();
  }

  /** Asks the server again where an earlier request was lost with a connection; also called by `add` and `remove`. */
  check(): void {
    this.#wanted = this.#counts.unacknowledged > (this.#wanted ? MAX_UNACKNOWLEDGED / 2 : MAX_UNACKNOWLEDGED);
    if (!this.#changing && this.#wanted !== this.#heldBack) void this.#change();
  }

  /** One request after the other, so that the server ends where it shall. */
  async #change(): Promise<void> {
    this.#changing = true;
    try {
      while (this.#wanted !== this.#heldBack) {
        const wanted = this.#wanted;
        const status = await this.#subscription.setPublishingMode(!wanted);
        if (status.isBad()) throw new Error(status.name);
        this.#heldBack = wanted;
      }
    } catch (error) {
      this.#fail(`the server cannot be asked to hold its values back: ${messageOf(error)}`);
    } finally {
      this.#changing = false;
    }
  }
}
