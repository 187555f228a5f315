import type { EpochMs } from '../../gateway/core/clock.ts';
import type { Climate } from './climate.ts';

/** What a device publishes, and what became of it as far as the device knows. */
export interface Message {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1 | 2;
  /** The reading that it carries; undefined for one without a time of its own, or that cannot be read. */
  readonly reading: SentReading | undefined;
  /** A reading without a time of its own. */
  readonly untimed: UntimedReading | undefined;
  /** How often the device has sent it, and when first; undefined before. */
  sends: number;
  sentAt: EpochMs | undefined;
  /** When the device got its PUBACK or PUBREC; undefined before. */
  acknowledgedAt: EpochMs | undefined;
}

/** A reading that gets its time from the gateway. Values are unique among all of them. */
export interface UntimedReading {
  readonly device: string;
  readonly value: number;
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
 * - `fleeting` is published with QoS 0, so that nobody promises anything;
 * - `ahead` comes from a device whose clock is so far ahead that the gateway takes its own time, once that is known.
 */
export type Metric = 'load' | 'level' | 'note' | 'venom' | 'fleeting' | 'ahead';

/** The metric of readings without a time of their own. */
const UNTIMED_METRIC = 'untimed';

/** Whether a result belongs to readings without a time of their own, by the key under which a store has it. */
export function isUntimedKey(key: string): boolean {
  return key.includes(`/${UNTIMED_METRIC}@`);
}

const MEASURED = /\/(load|level|note|venom|fleeting)@(ten|minute)@/;

/** Whether a result is a window of readings that somebody has sent with a time of their own, which goes by the readings alone. */
export function isPlainKey(key: string): boolean {
  return MEASURED.test(key);
}

/** The device under which a device publishes readings without a time of their own: its watermark follows the clock of the gateway alone. */
export function untimedDevice(device: string): string {
  return `${device}-clockless`;
}

/** Values above this raise an alarm. */
export const LOAD_LIMIT = 100;

const UNSENT = { reading: undefined, untimed: undefined, sends: 0, sentAt: undefined, acknowledgedAt: undefined };

/** How far `level` may be behind, in milliseconds. */
const BACKFILL_MS = 300_000;

/** How far `ahead` is ahead at least, and by how much more at the most. */
const AHEAD_MS = 100 * 3_600_000;

/** Invents what the devices publish, and remembers all of it. */
export class Workload {
  readonly messages: Message[] = [];
  readonly #random: () => number;
  readonly #lastTime = new Map<string, EpochMs>();
  readonly #noteLength: number;
  readonly #shareAhead: number;

  constructor(random: () => number, { hasOperators }: Climate) {
    this.#random = random;
    this.#shareAhead = hasOperators ? 0.03 : 0;
    this.#noteLength = random() < 0.3 ? 2_000 : 60;
  }

  /** The next message of a device, measured now or, for some metrics, before. */
  next(device: string, now: EpochMs): Message {
    const random = this.#random;
    const serial = this.messages.length;
    const draw = random();
    let message: Message;
    if (draw < 0.33) message = this.#measured(device, 'load', this.#ascending(device, now), integer(random() * 130));
    else if (draw < 0.6) message = this.#measured(device, 'level', now - integer(random() * BACKFILL_MS), serial);
    else if (draw < 0.7) message = this.#measured(device, 'note', now, this.#note(serial));
    else if (draw < 0.77) message = this.#measured(device, 'venom', now, serial);
    else if (draw < 0.84) message = this.#measured(device, 'fleeting', now, serial);
    else if (draw < 0.84 + this.#shareAhead)
      message = this.#measured(`${device}-ahead`, 'ahead', now + AHEAD_MS * (1 + random()), serial);
    else if (draw < 0.95) message = untimed(untimedDevice(device), serial);
    else message = unreadable(device, serial);
    this.messages.push(message);
    return message;
  }

  #measured(device: string, metric: Metric, time: EpochMs, value: number | string): Message {
    return {
      ...UNSENT,
      topic: `s/${device}/${metric}`,
      payload: JSON.stringify({ value, time }),
      qos: metric === 'fleeting' ? 0 : this.#random() < 0.7 ? 1 : 2,
      reading: { device, metric, time, value },
    };
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

/** QoS 2 alone tells a message that is sent again from a second one. */
function untimed(device: string, value: number): Message {
  const payload = JSON.stringify({ value });
  return { ...UNSENT, topic: `s/${device}/${UNTIMED_METRIC}`, payload, qos: 2, untimed: { device, value } };
}

function unreadable(device: string, serial: number): Message {
  return { ...UNSENT, topic: `s/${device}/load`, payload: `{"message ${serial} is not JSON`, qos: 1 };
}

function integer(value: number): number {
  return Math.floor(value);
}
