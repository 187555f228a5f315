import type { EpochMs } from './clock.ts';
import type { Quality } from './quality.ts';
import type { Value } from './reading.ts';

/** Bytes as a device sent them, before anybody understood them. */
export interface RawMessage {
  /** The MQTT topic, or another name for where it came from. */
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly receiveTime: EpochMs;
}

/** Where a decoder puts what it found; calls are synchronous. */
export interface DecodeTarget {
  /**
   * One decoded value. `metric`, `device` and `tags` override what the topic says; `sourceTime` is undefined where the payload has none.
   * Hot path: called with positional arguments so that nothing is allocated.
   */
  value(
    value: Value,
    sourceTime: EpochMs | undefined,
    metric?: string,
    device?: string,
    tags?: Readonly<Record<string, string>>,
    quality?: Quality,
  ): void;
  /**
   * The message, or a part of it, cannot be understood. `reason` is a sentence for a person, with the offending value; `part` is the text
   * that is wrong, where it is not the whole message.
   */
  reject(reason: string, part?: string): void;
}

/** Turns bytes into values. Total: whatever the bytes, it calls the target and never throws. */
export interface Decoder {
  decode(message: RawMessage, target: DecodeTarget): void;
}
