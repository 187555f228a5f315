import type { Offset } from '../core/log.ts';
import { AgeClock } from './age-clock.ts';
import { Committer } from './committer.ts';
import { LAYOUT, MAX_PAYLOAD_BYTES } from './format.ts';
import type { LogState } from './log-state.ts';
import type { Quarantine } from './quarantine.ts';
import type { Recovered } from './recovery.ts';
import { Retention } from './retention.ts';
import type { Segment, SegmentList } from './segment.ts';
import { SegmentAppender } from './segment-appender.ts';
import type { SegmentLogOptions } from './segment-log-options.ts';
import type { CountEnd } from './segment-places.ts';
import { Thinning } from './thinning.ts';
import type { Troubles } from './troubles.ts';
import { WriteBuffer } from './write-buffer.ts';

const DEFAULT_SEGMENT_BYTES = 16 * 1024 * 1024;
/**
 * What may wait in memory for the disk, in bytes, where an owner does not say. The sources may have less on their way by far; and it is what a
 * box with a gigabyte can spare.
 */
export const DEFAULT_PENDING_BYTES = 64 * 1024 * 1024;

/** The parts of a log that has been recovered. */
export interface LogParts {
  readonly segments: SegmentList;
  readonly retention: Retention;
  readonly committer: Committer;
  /** The segment that is being written, if there is one. */
  readonly active: () => Segment | undefined;
}

/** Where appending goes on. */
export interface LogEnd extends CountEnd {
  readonly nextOffset: Offset;
}

/** What the parts share with the log around them. */
export interface LogSurroundings {
  readonly state: LogState;
  readonly troubles: Troubles;
  readonly quarantine: Quarantine;
  /** A segment has another file now. */
  readonly onReplaced: (segment: Segment) => void;
  /** More has become durable. */
  readonly onDurable: () => void;
}

/** Puts the parts of a log together: its options, with their defaults, divided among those who keep them. */
export function assembleLog(
  options: SegmentLogOptions,
  { segments }: Recovered,
  { nextOffset, nextOrdinal, unwrittenItems }: LogEnd,
  { state, troubles, quarantine, onReplaced, onDurable }: LogSurroundings,
): LogParts {
  const { disk, path, clock, logger, maxBytes, sync = 'always', onDropped = () => undefined } = options;
  const quarterBytes = Math.floor(maxBytes / 4);
  const segmentBytes = Math.min(options.segmentBytes ?? DEFAULT_SEGMENT_BYTES, quarterBytes);
  const buffer = new WriteBuffer(segmentBytes - LAYOUT.headerBytes - LAYOUT.sealBytes);
  const appender = new SegmentAppender({
    disk,
    path,
    clock,
    logger,
    segments,
    segmentBytes,
    countsAfter: sync === 'always' ? 'sync' : 'write',
    unwrittenItems,
    release: (chunk) => buffer.release(chunk),
  });
  const ages = new AgeClock(clock, state.leaps);
  ages.resume(segments.last?.lastTime ?? Number.NaN, nextOffset);
  const retention = new Retention({
    disk,
    path,
    clock,
    logger,
    segments,
    state,
    troubles,
    maxBytes,
    maxAgeMs: options.maxAgeMs,
    ages,
    nextOffset: () => committer.nextOffset,
    keepFreeBytes: options.keepFreeBytes ?? 0,
    active: () => appender.active,
    writtenItems: nextOrdinal - unwrittenItems,
    thinner: options.thinner,
    onDropped,
  });
  const thinning =
    options.thinner === undefined
      ? undefined
      : new Thinning({
          disk,
          segments,
          state,
          troubles,
          quarantine,
          thinner: options.thinner,
          active: () => appender.active,
          trimmedBefore: () => retention.trimmedBefore,
          onThinned: (thinned) => onDropped({ ...thinned, reason: 'thinned' }),
          onReplaced: (segment) => {
            retention.roomMade();
            onReplaced(segment);
          },
        });
  const committer = new Committer({
    path,
    clock,
    troubles,
    buffer,
    appender,
    retention,
    thinning,
    sync,
    whenFull: options.whenFull ?? 'block',
    nextOffset,
    nextOrdinal,
    maxPayloadBytes: Math.min(MAX_PAYLOAD_BYTES, quarterBytes - LAYOUT.recordBytes),
    maxPendingBytes: options.maxPendingBytes ?? DEFAULT_PENDING_BYTES,
    random: options.random,
    onDurable,
  });
  return { segments, retention, committer, active: () => appender.active };
}
