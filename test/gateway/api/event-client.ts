import { setImmediate as turn } from 'node:timers/promises';
import type { StreamSocket } from '../../../gateway/api/event-hub.ts';
import type { Clock } from '../../../gateway/core/clock.ts';

export interface Event {
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly data: unknown;
}

/** Reads an event stream as a browser would, from any text. */
export function eventsIn(text: string): Event[] {
  return text
    .split('\n\n')
    .filter((block) => block.includes('data: '))
    .map((block) => {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
      return { id: field('id'), name: field('event'), data: JSON.parse(field('data') ?? 'null') };
    });
}

/** A client in memory; `stuck` ones never read. */
export class MemorySocket implements StreamSocket {
  text = '';
  ended = false;
  destroyed = false;
  stuck = false;

  get writableLength(): number {
    return this.stuck ? this.text.length : 0;
  }

  get events(): Event[] {
    return eventsIn(this.text);
  }

  write(text: string): boolean {
    this.text += text;
    return true;
  }

  end(): void {
    this.ended = true;
  }

  destroy(): void {
    this.destroyed = true;
  }
}

/** A clock that a test moves by hand. */
export class HandClock implements Clock {
  #now = 1_780_000_000_000;
  #sleepers: { at: number; wake: () => void }[] = [];
  now = () => this.#now;
  monotonicMs = () => this.#now;

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#sleepers.push({ at: this.#now + ms, wake: resolve });
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  async move(ms: number): Promise<void> {
    this.#now += ms;
    const due = this.#sleepers.filter((one) => one.at <= this.#now);
    this.#sleepers = this.#sleepers.filter((one) => one.at > this.#now);
    for (const { wake } of due) wake();
    await turn();
  }
}
