import { type Disk, type DiskFile, errorCode } from '../core/disk.ts';
import { messageOf } from '../core/errors.ts';
import { LogReadError, type LogReader, type LogRecord, type Offset } from '../core/log.ts';
import type { Logger } from '../core/telemetry.ts';
import { segmentName } from './format.ts';
import type { Spot } from './kept.ts';
import type { Quarantine } from './quarantine.ts';
import { openSegment } from './read-segment.ts';
import type { Segment, SegmentList } from './segment.ts';
import { SegmentScanner, scanStart } from './segment-scanner.ts';

/** What a reader sees of its log. */
export interface ReaderPort {
  readonly disk: Disk;
  readonly logger: Logger;
  /** Undefined until the log has been started. */
  readonly segments: SegmentList | undefined;
  readonly quarantine: Quarantine;
  /** Everything before this may be read. */
  readableOffset(): Offset;
  /** Damage was met in a segment; `isNew`: it was not in quarantine yet. */
  onDamage(segment: Segment, isNew: boolean): Promise<void>;
  /** Calls `wake` when more may be read or the log stops; returns how to cancel. */
  subscribe(wake: () => void): () => void;
  readonly stopped: boolean;
  /** The reader will not be used any more. */
  onClosed(reader: SegmentLogReader): void;
}

/** Removed, replaced, or about to be. */
function isGone({ removed, retired }: Segment): boolean {
  return removed || retired;
}

/** Reads the records of a log in order, one segment after the other. Not for concurrent calls of `read`. */
export class SegmentLogReader implements LogReader {
  readonly #port: ReaderPort;
  #position: Offset;
  #current: { readonly segment: Segment; readonly file: DiskFile; readonly scanner: SegmentScanner } | undefined;
  #spot: Spot | undefined;
  #closed = false;
  #isReading = false;

  constructor(port: ReaderPort, from: Offset) {
    this.#port = port;
    this.#position = from;
  }

  get position(): Offset {
    return this.#position;
  }

  /** Where it stands; undefined before it has read something, and where that has gone. */
  get spot(): Spot | undefined {
    return this.#spot === undefined || isGone(this.#spot.segment) ? undefined : this.#spot;
  }

  async read(maxBytes: number): Promise<readonly LogRecord[]> {
    this.#isReading = true;
    try {
      return await this.#read(maxBytes);
    } catch (error) {
      // The scanner may be past records that nobody got: the next read begins at the position again.
      this.#spot = undefined;
      await this.#leave();
      throw new LogReadError(this.#position, error);
    } finally {
      this.#isReading = false;
      if (this.#current !== undefined && isGone(this.#current.segment)) await this.#leave();
    }
  }

  async #read(maxBytes: number): Promise<readonly LogRecord[]> {
    while (!this.#closed) {
      if (this.#current !== undefined && isGone(this.#current.segment)) await this.#leave();
      const readable = this.#port.readableOffset();
      if (this.#position >= readable) return [];
      const segment = this.#current?.segment ?? this.#port.segments?.find(this.#position);
      if (segment === undefined) {
        // Between here and the end are only records that were dropped before they were written, or were lost.
        this.#position = readable;
        return [];
      }
      // What is to be read here is settled before anything is awaited: meanwhile more is written.
      const { dataEnd } = segment;
      const isLast = this.#port.segments?.last === segment;
      const endOffset = isLast ? Math.max(segment.endOffset, readable) : segment.endOffset;
      if (!(await this.#enter(segment))) continue;
      const { records, finished } = await this.#scan(dataEnd, endOffset, Math.max(1, maxBytes));
      if (finished) {
        this.#position = Math.max(this.#position, endOffset);
        if (!isLast) await this.#leave();
      }
      if (records.length > 0) return records;
    }
    return [];
  }

  async wait(signal: AbortSignal): Promise<void> {
    const ready = () =>
      this.#closed || this.#port.stopped || signal.aborted || this.#position < this.#port.readableOffset();
    if (ready()) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        if (!ready()) return;
        unsubscribe();
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const unsubscribe = this.#port.subscribe(wake);
      signal.addEventListener('abort', wake);
    });
  }

  /** Its segment has been replaced: the old file is to be closed, which keeps its bytes on the disk. What is being read is read to its end. */
  letGo(segment: Segment): void {
    if (this.#current?.segment === segment && !this.#isReading) void this.#leave();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#port.onClosed(this);
    await this.#leave();
  }

  /** Opens a segment; false when its file has gone, which a reader need not know before. */
  async #enter(segment: Segment): Promise<boolean> {
    if (this.#current !== undefined) return true;
    try {
      await segment.moving;
      const file = await openSegment(this.#port.disk, segment);
      if (segment.moving !== undefined || isGone(segment)) {
        await file.close();
        return false;
      }
      this.#current = { segment, file, scanner: new SegmentScanner(file, scanStart(segment)) };
      return true;
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      if (!segment.removed) {
        this.#port.logger.error({ segment: segment.path }, 'a segment is missing: its records are lost');
        this.#port.segments?.lose(segment);
      }
      return false;
    }
  }

  async #scan(
    dataEnd: number,
    endOffset: Offset,
    maxBytes: number,
  ): Promise<{ records: readonly LogRecord[]; finished: boolean }> {
    const { file, scanner, segment } = this.#current!;
    const wanted: LogRecord[] = [];
    let bytes = 0;
    let passed = this.#spot?.segment === segment ? this.#spot.items : 0;
    for (;;) {
      const stretch = await scanner.next(dataEnd, endOffset, maxBytes);
      for (const damage of stretch.damage) {
        const isNew = await this.#port.quarantine.setAside(segmentName(segment.firstOffset), file, damage);
        await this.#port.onDamage(segment, isNew);
      }
      for (const record of stretch.records) {
        passed += record.items;
        if (record.offset < this.#position) continue;
        wanted.push(record);
        bytes += record.payload.length;
      }
      const last = wanted.at(-1);
      if (last !== undefined) this.#position = last.offset + 1;
      this.#spot = { segment, offset: this.#position, items: passed, position: scanner.position };
      if (stretch.finished || bytes >= maxBytes || wanted.length > 0)
        return { records: wanted, finished: stretch.finished };
    }
  }

  async #leave(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    if (current === undefined) return;
    try {
      await current.file.close();
    } catch (error) {
      this.#port.logger.debug({ segment: current.segment.path }, `cannot close a segment: ${messageOf(error)}`);
    }
  }
}
