import type { EpochMs } from './clock.ts';
import type { Marks } from './marks.ts';
import type { Quality } from './quality.ts';
import type { Series, SeriesIdentity, Value } from './reading.ts';

/** Data that was refused, with what a person needs to mend its origin. */
export interface Rejected {
  /** Name of the source or the sink that refused it. */
  readonly origin: string;
  /** A sentence with the offending value and what is allowed. */
  readonly reason: string;
  readonly time: EpochMs;
  /** MQTT topic, node id, measurement: where it came from. */
  readonly subject: string;
  /** The device whose reading it is, as `deviceKey` says it; undefined where that is not known. */
  readonly device?: string | undefined;
  /** How many like it came in one moment, when only this one of them is kept; 1 where it is left out. */
  readonly times?: number | undefined;
  /** The data itself, at most `MAX_REJECTED_BYTES`; cut beyond. */
  readonly payload: Uint8Array;
}

/** The beginning of a rejected payload that is kept in the dead-letter store. */
export const MAX_REJECTED_BYTES = 4096;

/**
 * What a source hands its readings to. For each message a source calls `reading` or `reject` any number of times and then
 * `acknowledge` once; what it tells its peer (PUBACK, HTTP 204 …) waits for that callback.
 *
 * All calls are synchronous and cheap: nothing is allocated but the reading. Back-pressure is the callback's delay, so a
 * source must bound what it has unacknowledged.
 */
export interface Intake {
  /**
   * The series of an identity, made when it is new. Look it up once for each topic or node and keep it. Otherwise a sentence why there
   * is none: a name is empty, longer than 256 characters or has control characters, or the bound on series is reached. Then call
   * `reject` with it, or show it in the status.
   */
  series(identity: SeriesIdentity, unit?: string): Series | string;
  /**
   * Adds a reading. It is checked (finite, plausible time) and normalised; what fails is set aside in the dead-letter store.
   * `sourceTime` undefined means that the source has no time: the receive time is taken. Answers why it was set aside; undefined when it
   * was taken.
   */
  reading(
    series: Series,
    value: Value,
    quality: Quality,
    sourceTime: EpochMs | undefined,
    receiveTime: EpochMs,
  ): string | undefined;
  /** Sets data aside that cannot become a reading; counted, kept with its reason, visible in the API. */
  reject(subject: string, reason: string, payload: Uint8Array): void;
  /**
   * Notes that survive a restart. What is set or deleted becomes durable like a reading: before the next acknowledgement, and together with
   * the readings that are given between the two, or not at all.
   */
  readonly marks: Marks;
  /** `done` is called once everything given before is durable in the journal or the dead-letter store, in order of the calls. */
  acknowledge(done: () => void): void;
}
