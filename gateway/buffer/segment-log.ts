import { join } from 'node:path';
import { patientDisk } from '../base/patient-disk.ts';
import { GatewayError, messageOf } from '../core/errors.ts';
import type { Kept, Log, LogCursor, LogReader, LogStatus, Offset } from '../core/log.ts';
import { assembleLog, DEFAULT_PENDING_BYTES, type LogParts } from './assemble-log.ts';
import { countDamage } from './count-damage.ts';
import { Cursors } from './cursors.ts';
import { keptFrom } from './kept.ts';
import { LogState } from './log-state.ts';
import { passOver } from './pass-over.ts';
import { Quarantine } from './quarantine.ts';
import { recover } from './recovery.ts';
import type { Segment } from './segment.ts';
import type { SegmentLogOptions } from './segment-log-options.ts';
import { type ReaderPort, SegmentLogReader } from './segment-log-reader.ts';
import { placeSegments } from './segment-places.ts';
import { Troubles } from './troubles.ts';

export type { Dropped } from './retention.ts';
export type { SegmentLogOptions, SyncPolicy, WhenFull } from './segment-log-options.ts';

const SMALLEST_MAX_BYTES = 64 * 1024;
/** Before September 2001 the time was not known: a box without a clock battery begins in 1970. */
const PLAUSIBLE_MS = 1e12;

/** A log in a folder of segment files. FORMAT.md tells what lies there, and what is promised. */
export class SegmentLog implements Log {
  readonly #options: SegmentLogOptions;
  readonly #path: string;
  readonly #troubles: Troubles;
  readonly #quarantine: Quarantine;
  readonly #cursors: Cursors;
  readonly #state: LogState;
  /** Who waits for more to read. */
  readonly #waiting = new Set<() => void>();
  readonly #readers = new Set<SegmentLogReader>();
  /** Segments whose damage this process has counted. */
  readonly #counted = new WeakSet<Segment>();
  #phase: 'new' | 'started' | 'stopping' | 'stopped' = 'new';
  #starting: AbortSignal | undefined;
  #parts: LogParts | undefined;
  #unlock: (() => Promise<void>) | undefined;

  constructor(options: SegmentLogOptions) {
    const { path, maxBytes, clock, logger } = options;
    if (!(maxBytes >= SMALLEST_MAX_BYTES)) {
      throw new GatewayError(`cannot make a log in ${path} of at most ${maxBytes} bytes`, {
        hint: `maxBytes is at least ${SMALLEST_MAX_BYTES}`,
      });
    }
    if (options.whenFull === 'thin' && options.thinner === undefined) {
      throw new GatewayError(`cannot make a log in ${path} that thins what it holds`, {
        hint: 'whenFull thin needs a thinner, which knows what is in a record',
      });
    }
    // What is running has others who wait: its readers, and those who write again.
    const isStarting = () => this.#phase === 'new' && this.#starting?.aborted === false;
    const disk = patientDisk(options.disk, clock, isStarting);
    this.#options = { ...options, disk };
    this.#path = path;
    this.#troubles = new Troubles(logger);
    this.#quarantine = new Quarantine(disk, path, logger);
    this.#cursors = new Cursors(path, logger, { disk, clock, troubles: this.#troubles });
    this.#state = new LogState(disk, path, this.#troubles);
  }

  async start(signal: AbortSignal): Promise<void> {
    if (this.#phase !== 'new') throw new GatewayError(`cannot start the log in ${this.#path} a second time`);
    signal.throwIfAborted();
    this.#starting = signal;
    await this.#lock();
    try {
      this.#parts = await this.#recover();
    } catch (error) {
      await this.#release();
      throw error;
    }
    this.#phase = 'started';
    this.#wake();
  }

  async stop(signal: AbortSignal): Promise<void> {
    const parts = this.#parts;
    if (this.#phase === 'new') this.#phase = 'stopped';
    if (this.#phase !== 'started' || parts === undefined) return;
    this.#phase = 'stopping';
    const { promise: timeIsOver, resolve } = Promise.withResolvers<void>();
    const giveUp = () => {
      parts.committer.giveUp();
      resolve();
    };
    signal.addEventListener('abort', giveUp, { once: true });
    const finished = this.#finish(parts);
    if (signal.aborted) giveUp();
    // A disk that hangs cannot be made to answer: when the time is over, it is left alone.
    await Promise.race([finished, timeIsOver]);
    signal.removeEventListener('abort', giveUp);
    this.#phase = 'stopped';
    this.#wake();
    await this.#release();
  }

  append(payload: Uint8Array, items: number): Offset {
    if (this.#phase !== 'started') throw this.#notRunning('append to');
    return this.#parts!.committer.append(payload, items);
  }

  commit(): Promise<void> {
    if (this.#phase !== 'started') return Promise.reject(this.#notRunning('commit to'));
    return this.#parts!.committer.commit();
  }

  sync(before?: Offset): Promise<void> {
    if (this.#phase !== 'started') return Promise.reject(this.#notRunning('sync'));
    return this.#parts!.committer.sync(before);
  }

  /** Also before `start`: there is nothing to read until then. */
  reader(from: Offset): LogReader {
    const log = this;
    const port: ReaderPort = {
      disk: this.#options.disk,
      logger: this.#options.logger,
      quarantine: this.#quarantine,
      get segments() {
        return log.#parts?.segments;
      },
      get stopped() {
        return log.#phase === 'stopped';
      },
      readableOffset: () => this.#durableOffset,
      onDamage: (segment, isNew) => this.#noteDamage(segment, isNew),
      onClosed: (reader) => this.#readers.delete(reader),
      subscribe: (wake) => {
        this.#waiting.add(wake);
        return () => this.#waiting.delete(wake);
      },
    };
    const reader = new SegmentLogReader(port, from);
    this.#readers.add(reader);
    return reader;
  }

  async passOver(offset: Offset): Promise<boolean> {
    if (this.#parts === undefined) return false;
    const { disk, logger } = this.#options;
    const { segments, active } = this.#parts;
    try {
      return await passOver({ disk, logger, state: this.#state, segments, active }, offset);
    } catch (error) {
      logger.warn({ offset }, `cannot pass over what the disk refuses: ${messageOf(error)}`);
      return false;
    }
  }

  /** Also before `start`, which then moves it to where it was. */
  cursor(name: string, at = this.#firstOffset): LogCursor {
    return this.#cursors.get(name, at);
  }

  async trim(before: Offset): Promise<void> {
    // While it stops too: the last commit may wait for room.
    if (this.#parts === undefined || this.#phase === 'stopped') return;
    const { retention, committer } = this.#parts;
    // What a cursor has passed goes after its file says so. And a disk that has refused a small file once must not look broken for ever
    // in a log that nobody writes to.
    await this.#cursors.flush();
    await retention.trim(Math.min(before, committer.durableOffset, this.#notedTo));
    await retention.expire();
    // A full disk had no room for the file: now it may have.
    if (!this.#cursors.areNoted) await this.#cursors.flush();
    committer.roomMade();
    await this.#state.saveRefused();
  }

  /** How far the files of the cursors let a trim go. Where the log is short of room, a disk that refuses them for ever must not fill it. */
  get #notedTo(): Offset {
    const isShortOfRoom = (this.#parts?.segments.bytes ?? 0) > this.#options.maxBytes / 2;
    return isShortOfRoom ? Number.POSITIVE_INFINITY : this.#cursors.notedTo;
  }

  kept(from: Offset): Kept {
    const { segments } = this.#parts ?? {};
    if (segments === undefined) return { items: 0, bytes: 0 };
    return keptFrom(
      segments,
      from,
      [...this.#readers].flatMap((reader) => reader.spot ?? []),
    );
  }

  status(): LogStatus {
    const { segments, committer } = this.#parts ?? {};
    const oldest = segments?.firstKept;
    const droppedItems = this.#state.droppedItems + this.#state.thinnedItems;
    return {
      firstOffset: this.#firstOffset,
      firstOrdinal: oldest?.place.itemsBefore ?? committer?.durableOrdinal ?? 0,
      nextOffset: committer?.nextOffset ?? 0,
      durableOffset: this.#durableOffset,
      bytes: segments?.bytes ?? 0,
      maxBytes: this.#options.maxBytes,
      segments: segments?.length ?? 0,
      oldestTime: oldest !== undefined && oldest.firstTime > PLAUSIBLE_MS ? oldest.firstTime : undefined,
      appendedItems: committer?.nextOrdinal ?? 0,
      keptItems: segments?.keptItems ?? 0,
      droppedItems,
      droppedBySeries: this.#state.droppedBySeries.toRecord(droppedItems),
      damagedItems: this.#state.damagedItems + (segments?.damagedItems ?? 0),
      quarantined: this.#quarantine.count,
      pendingBytes: committer?.pendingBytes ?? 0,
      maxPendingBytes: this.#options.maxPendingBytes ?? DEFAULT_PENDING_BYTES,
      trouble: this.#troubles.summary,
    };
  }

  get #durableOffset(): Offset {
    return this.#parts?.committer.durableOffset ?? 0;
  }

  get #firstOffset(): Offset {
    return this.#parts?.segments.firstKept?.firstOffset ?? this.#durableOffset;
  }

  async #lock(): Promise<void> {
    const { disk } = this.#options;
    try {
      await disk.makeDirectory(this.#path);
      this.#unlock = await disk.lock(join(this.#path, 'lock'));
    } catch (error) {
      if (error instanceof GatewayError) throw error;
      throw new GatewayError(`cannot open the log in ${this.#path}: ${messageOf(error)}`, {
        hint: 'storage.path must be a folder that the gateway may write, on a file system with symbolic links',
        cause: error,
      });
    }
  }

  async #recover(): Promise<LogParts> {
    const { disk, logger } = this.#options;
    await this.#state.load();
    await this.#quarantine.start(this.#state.quarantined);
    await this.#cursors.load();
    const recovered = await recover({
      disk,
      path: this.#path,
      logger,
      quarantine: this.#quarantine,
      thinnedOf: (firstOffset) => this.#state.marks.get(firstOffset)?.thinned ?? 0,
    });
    const { segments } = recovered;
    const endOffset = Math.max(recovered.endOffset, this.#state.nextOffset, this.#state.goneBefore);
    const nextOffset = Math.max(endOffset, this.#cursors.greatest);
    const end = { nextOffset, ...placeSegments(segments, this.#state, nextOffset) };
    await this.#cursors.mend(segments.firstKept?.firstOffset ?? endOffset, endOffset);
    const parts = assembleLog(this.#options, recovered, end, {
      state: this.#state,
      troubles: this.#troubles,
      quarantine: this.#quarantine,
      onReplaced: (segment) => {
        for (const reader of this.#readers) reader.letGo(segment);
      },
      onDurable: () => this.#wake(),
    });
    // What was dropped and could not be noted, but a segment behind it tells.
    this.#state.droppedItems += end.unwrittenItems - this.#state.unwrittenItems;
    this.#state.unwrittenItems = end.unwrittenItems;
    this.#state.follow(segments, () => parts.committer.durableOrdinal);
    // What was counted just before a crash, but not deleted yet.
    await parts.retention.trim(this.#state.goneBefore);
    await parts.retention.expire();
    await this.#saveState(nextOffset);
    return parts;
  }

  async #finish({ committer }: LogParts): Promise<void> {
    await committer.finish();
    await this.#cursors.flush();
    await this.#saveState();
  }

  async #saveState(nextOffset = this.#parts?.committer.nextOffset ?? 0): Promise<void> {
    this.#state.nextOffset = Math.max(this.#state.nextOffset, nextOffset);
    this.#state.quarantined = this.#quarantine.count;
    await this.#state.save();
  }

  /** Known damage is counted too, once: the process that set it aside may have died, or been refused, before it could note the count. */
  async #noteDamage(segment: Segment, isNew: boolean): Promise<void> {
    if (!isNew && this.#counted.has(segment)) return;
    const { disk, logger } = this.#options;
    try {
      if (!segment.removed) await countDamage(disk, segment);
      this.#counted.add(segment);
    } catch (error) {
      logger.warn({ segment: segment.path }, `cannot count what damage has cost: ${messageOf(error)}`);
    }
    await this.#saveState();
  }

  async #release(): Promise<void> {
    const unlock = this.#unlock;
    this.#unlock = undefined;
    try {
      await unlock?.();
    } catch (error) {
      // The next process finds that this one is dead.
      this.#options.logger.warn({}, `cannot release the lock of ${this.#path}: ${messageOf(error)}`);
    }
  }

  #notRunning(what: string): GatewayError {
    return new GatewayError(`cannot ${what} the log in ${this.#path}: it is not running`);
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
