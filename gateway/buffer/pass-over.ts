import type { Disk } from '../core/disk.ts';
import type { Offset } from '../core/log.ts';
import type { Logger } from '../core/telemetry.ts';
import type { LogState } from './log-state.ts';
import type { Segment, SegmentList } from './segment.ts';
import { givesFirstPage, unreadableIn } from './unreadable.ts';

/** So many other segments are asked whether the disk is there. */
const WITNESSES = 4;

/** What passing over works with. */
export interface PassOverParts {
  readonly disk: Disk;
  readonly logger: Logger;
  readonly state: LogState;
  readonly segments: SegmentList;
  /** The segment that is being written. */
  readonly active: () => Segment | undefined;
}

/**
 * From now on what the disk refuses of the segment that holds an offset reads as zeros, which are damage; what it gives again is read. One that
 * does not open is lost.
 *
 * @returns false, and nothing happens, where the disk is not damaged but away, or the segment is still being written and does not open
 * @throws the error of the disk where it does not tell the size of the file
 */
export async function passOver(parts: PassOverParts, offset: Offset): Promise<boolean> {
  const { disk, logger, segments, active } = parts;
  const segment = segments.find(offset);
  if (segment === undefined) return false;
  await segment.moving;
  const { stretches, isWhole, isClosed } = await unreadableIn(disk, segment);
  if (isWhole && (await isAway(parts, segment))) return false;
  // What is acknowledged from now on would be lost with it.
  if (isClosed && segment === active()) return false;
  if (segment.removed) return true;
  const bytes = stretches.reduce((sum, { start, end }) => sum + end - start, 0);
  if (bytes > 0) {
    logger.error(
      { segment: segment.path, bytes },
      `the disk refuses ${bytes} bytes of a segment: passed over as damage`,
    );
  }
  segment.isPassedOver = true;
  if (isClosed) segments.lose(segment);
  return true;
}

/** Whether a disk that gives nothing of a segment takes nothing either, or gives nothing of the segments around it. */
async function isAway({ disk, state, segments }: PassOverParts, segment: Segment): Promise<boolean> {
  if ((await state.save()) === 'refused') return true;
  const all = [...segments];
  const index = all.indexOf(segment);
  const others = [...all.slice(index + 1), ...all.slice(0, Math.max(0, index)).reverse()];
  for (const other of others.slice(0, WITNESSES)) if (await givesFirstPage(disk, other)) return false;
  return true;
}
