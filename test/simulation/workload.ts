import type { EpochMs } from '../../gateway/core/clock.ts';

/** What a device publishes, and what became of it as far as the device knows. */
export interface Message {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1 | 2;
  /** The reading that it carries; undefined for one that cannot be read. */
  readonly reading: SentReading | undefined;
  sent: boolean;
  /** The device has its PUBACK or PUBREC. */
  acknowledged: boolean;
}

/** A reading as a device has measured it. */
export interface SentReading {
  readonly device: string;
  readonly metric: Metric;
  readonly time: EpochMs;
  readonly value: number | string;
}

/**
 * - `load` is measured in order, and watched by a detector; `level` comes late and out of order;
 * - `note` is text, long enough to fill a journal; `venom` gives results that a sink refuses;
 * - `fleeting` is published with QoS 0, so that nobody promises anything.
 */
export type Metric = 'load' | 'level' | 'note' | 'venom' | 'fleeting';

/** Values above this raise an alarm. */
export const LOAD_LIMIT = 100;

/** How far `level` may be behind, in milliseconds. */
const BACKFILL_MS = 300_000;

/** Invents what the devices publish, and remembers all of it. */
export class Workload {
  readonly messages: Message[] = [];
  readonly #random: () => number;
  readonly #lastTime = new Map<string, EpochMs>();
  readonly #noteLength: number;

  constructor(random: () => number) {
    this.#random = random;
    this.#noteLength = random() < 0.3 ? 2_000 : 60;
  }

  /** The next message of a device, measured now or, for some metrics, before. */
  next(device: string, now: EpochMs): Message {
    const random = this.#random;
    const serial = this.messages.length;
    const draw = random();
    let message: Message;
    if (draw < 0.4) message = this.#measured(device, 'load', this.#ascending(device, now), integer(random() * 130));
    else if (draw < 0.7) message = this.#measured(device, 'level', now - integer(random() * BACKFILL_MS), serial);
    else if (draw < 0.8) message = this.#measured(device, 'note', now, this.#note(serial));
    else if (draw < 0.88) message = this.#measured(device, 'venom', now, serial);
    else if (draw < 0.95) message = this.#measured(device, 'fleeting', now, serial);
    else message = this.#unreadable(device, serial);
    this.messages.push(message);
    return message;
  }

  #measured(device: string, metric: Metric, time: EpochMs, value: number | string): Message {
    return {
      topic: `s/${device}/${metric}`,
      payload: JSON.stringify({ value, time }),
      qos: metric === 'fleeting' ? 0 : this.#random() < 0.7 ? 1 : 2,
      reading: { device, metric, time, value },
      sent: false,
      acknowledged: false,
    };
  }

  #unreadable(device: string, serial: number): Message {
    const payload = `{"message ${serial} is not JSON`;
    return { topic: `s/${device}/load`, payload, qos: 1, reading: undefined, sent: false, acknowledged: false };
  }

  #note(serial: number): string {
    return `note ${serial} `.padEnd(integer(this.#random() * this.#noteLength), '.');
  }

  #ascending(device: string, now: EpochMs): EpochMs {
    const time = Math.max(now, (this.#lastTime.get(device) ?? 0) + 1);
    this.#lastTime.set(device, time);
    return time;
  }
}

function integer(value: number): number {
  return Math.floor(value);
}
