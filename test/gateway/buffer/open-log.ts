import { SegmentLog, type SegmentLogOptions } from '../../../gateway/buffer/segment-log.ts';
import type { LogRecord } from '../../../gateway/core/log.ts';
import { FaultyDisk, seededRandom } from '../../model/faulty-disk.ts';
import { LeapingClock } from '../../model/leaping-clock.ts';
import { recordingLogger } from '../../recording-logger.ts';

/** For `start` and `stop` without haste. */
export const never = new AbortController().signal;

/** A disk, a clock, and logs on them one after the other. */
export class Rig {
  readonly disk = new FaultyDisk(seededRandom(1));
  readonly clock: LeapingClock;
  readonly logger = recordingLogger();
  /** What is the greatest size of segments where nothing else is said. */
  segmentBytes = 4096;

  /** @param now wall time to begin with */
  constructor(now?: number) {
    this.clock = new LeapingClock(now);
  }

  /** A started log in `/log` with small segments. */
  async open(options: Partial<SegmentLogOptions> = {}): Promise<SegmentLog> {
    const log = new SegmentLog({
      path: '/log',
      disk: this.disk.mount(),
      clock: this.clock,
      logger: this.logger,
      maxBytes: 1024 * 1024,
      segmentBytes: this.segmentBytes,
      random: seededRandom(2),
      ...options,
    });
    await log.start(never);
    return log;
  }

  /** Paths of the segment files. */
  segments(): readonly string[] {
    return this.disk.paths().filter((path) => /^\/log\/\d+\.log$/.test(path));
  }
}

/** Appends and commits records of one item, with payloads `<offset>` padded to a size. */
export async function fill(log: SegmentLog, records: number, bytes = 100): Promise<void> {
  for (let i = 0; i < records; i++) {
    log.append(Buffer.from(`${log.status().nextOffset} `.padEnd(bytes, '.')), 1);
    await log.commit();
  }
}

/** Everything a new reader gets; a payload that is not what `fill` wrote is an error. */
export async function offsetsOf(log: SegmentLog, from = 0): Promise<readonly number[]> {
  const reader = log.reader(from);
  const records: LogRecord[] = [];
  for (let batch = await reader.read(1000); batch.length > 0; batch = await reader.read(1000)) records.push(...batch);
  await reader.close();
  for (const { offset, payload } of records) {
    const text = Buffer.from(payload).toString();
    if (!text.startsWith(`${offset} `) || !/^\d+ \.*$/.test(text)) throw new Error(`record ${offset} holds ${text}`);
  }
  return records.map((record) => record.offset);
}

/** `[from, to)` */
export function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
