import { join } from 'node:path';
import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../core/clock.ts';
import { type Disk, isNoSpace } from '../core/disk.ts';
import { GatewayError, messageOf } from '../core/errors.ts';
import type { Log, LogCursor, LogReader, LogStatus, Offset } from '../core/log.ts';
import type { Logger } from '../core/telemetry.ts';
import { Cursors } from './cursors.ts';
import { HEADER_BYTES, MAX_PAYLOAD_BYTES, RECORD_HEADER_BYTES, SEAL_BYTES } from './format.ts';
import { LogState } from './log-state.ts';
import { Quarantine } from './quarantine.ts';
import { recover } from './recovery.ts';
import { type Dropped, Retention } from './retention.ts';
import { SegmentList } from './segment.ts';
import { SegmentAppender } from './segment-appender.ts';
import { SegmentLogReader } from './segment-log-reader.ts';
import { Troubles } from './troubles.ts';
import { type Chunk, WriteBuffer } from './write-buffer.ts';

/** When written records are made durable; decides what a power cut may cost. */
export type SyncPolicy = 'always' | 'never' | { readonly everyMs: number };

/** What happens when a record finds no room. */
export type WhenFull = 'block' | 'drop-oldest' | 'drop-newest';

export interface SegmentLogOptions {
  /** Folder of this log alone; made when it is not there. */
  readonly path: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  /**
   * `always`: a commit is synced to the disk. `everyMs`: a commit is handed to the operating system, which a crash of the gateway
   * survives unless the disk was failing too; a power cut costs at most about so many milliseconds. `never`: a power cut costs what the operating system has not
   * written. @default 'always'
   */
  readonly sync?: SyncPolicy;
  /** Most bytes that all segments together may take, at least 64 KiB. */
  readonly maxBytes: number;
  /** Segments with only older records are dropped. Looked at when something is written or trimmed. @default no bound */
  readonly maxAgeMs?: number | undefined;
  /** The log counts as full when the file system has fewer free bytes. @default 0 */
  readonly keepFreeBytes?: number | undefined;
  /** Size at which a segment is closed and the next one begun; never more than a quarter of `maxBytes`. @default 16 MiB */
  readonly segmentBytes?: number | undefined;
  /**
   * `block`: commits wait until `trim` makes room. `drop-oldest`: the oldest segment goes. `drop-newest`: what was appended goes.
   * Whatever is dropped is counted. @default 'block'
   */
  readonly whenFull?: WhenFull | undefined;
  /** Most bytes that may wait in memory for the disk: an append beyond is refused. @default 256 MiB */
  readonly maxPendingBytes?: number | undefined;
  /** Told of everything that is dropped. Must not throw. */
  readonly onDropped?: ((dropped: Dropped) => void) | undefined;
  /** Uniform in [0, 1), for the jitter of retries. @default that of `backoffMs` */
  readonly random?: (() => number) | undefined;
}

/** The status of a log, with what only this kind knows. */
export interface SegmentLogStatus extends LogStatus {
  /** Records that recovery found missing between two segments: files that were lost or cut. */
  readonly missingRecords: number;
  /** Bytes in memory that are not durable yet. */
  readonly pendingBytes: number;
}

const DEFAULT_SEGMENT_BYTES = 16 * 1024 * 1024;
const DEFAULT_PENDING_BYTES = 256 * 1024 * 1024;
const SMALLEST_MAX_BYTES = 64 * 1024;
/** A disk that is well again is used again within a second. */
const RETRY = { firstMs: 20, maxMs: 700 };
/** How often a full log looks whether something else than a trim has made room. */
const ROOM_POLL_MS = 250;
/** With `everyMs`, unsynced records are kept in memory: so many bytes make a sync due at once. */
const UNSYNCED_BYTES = 8 * 1024 * 1024;
const DONE: Promise<void> = Promise.resolve();

/** A log in a folder of segment files. FORMAT.md tells what lies there, and what is promised. */
export class SegmentLog implements Log {
  readonly #options: SegmentLogOptions;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #sync: SyncPolicy;
  readonly #segmentBytes: number;
  readonly #maxPendingBytes: number;
  readonly #troubles: Troubles;
  readonly #quarantine: Quarantine;
  readonly #cursors: Cursors;
  readonly #state: LogState;
  readonly #buffer: WriteBuffer;
  readonly #readers = new Set<() => void>();
  /** Aborted when nothing more will be tried. */
  readonly #end = new AbortController();
  #phase: 'new' | 'started' | 'stopping' | 'stopped' = 'new';
  #segments = new SegmentList();
  #appender: SegmentAppender | undefined;
  #retention: Retention | undefined;
  #unlock: (() => Promise<void>) | undefined;
  #nextOffset: Offset = 0;
  #durableOffset: Offset = 0;
  #missingRecords = 0;
  /** The commit that takes everything appended so far: running, or due when the running one is done. */
  #running: PromiseWithResolvers<void> | undefined;
  #due: PromiseWithResolvers<void> | undefined;
  #isPumping = false;
  #pumped: Promise<void> = DONE;
  /** Ends the loop of `everyMs`, which runs until `syncLoop` resolves. */
  readonly #syncEnd = new AbortController();
  #syncLoop: Promise<void> = DONE;
  #syncDue = false;
  #room: PromiseWithResolvers<void> | undefined;

  constructor(options: SegmentLogOptions) {
    const { path, maxBytes, disk, logger } = options;
    if (!(maxBytes >= SMALLEST_MAX_BYTES)) {
      throw new GatewayError(`cannot make a log in ${path} of at most ${maxBytes} bytes`, {
        hint: `maxBytes is at least ${SMALLEST_MAX_BYTES}`,
      });
    }
    this.#options = options;
    this.#path = path;
    this.#clock = options.clock;
    this.#sync = options.sync ?? 'always';
    this.#segmentBytes = Math.floor(Math.min(options.segmentBytes ?? DEFAULT_SEGMENT_BYTES, maxBytes / 4));
    this.#maxPendingBytes = options.maxPendingBytes ?? DEFAULT_PENDING_BYTES;
    this.#troubles = new Troubles(logger);
    this.#quarantine = new Quarantine(disk, path, logger);
    this.#cursors = new Cursors(disk, path, logger, this.#troubles);
    this.#state = new LogState(disk, path, this.#troubles);
    this.#buffer = new WriteBuffer(this.#segmentBytes - HEADER_BYTES - SEAL_BYTES);
  }

  async start(signal: AbortSignal): Promise<void> {
    if (this.#phase !== 'new') throw new GatewayError(`cannot start the log in ${this.#path} a second time`);
    signal.throwIfAborted();
    await this.#lock();
    try {
      await this.#recover();
      this.#phase = 'started';
      await this.#retention?.expire();
    } catch (error) {
      await this.#release();
      throw error;
    }
    if (typeof this.#sync === 'object') this.#syncLoop = this.#syncEvery(this.#sync.everyMs);
    this.#wakeReaders();
  }

  async stop(signal: AbortSignal): Promise<void> {
    if (this.#phase === 'new') this.#phase = 'stopped';
    if (this.#phase !== 'started') return;
    const giveUp = Promise.withResolvers<void>();
    const abort = () => {
      this.#end.abort();
      giveUp.resolve();
    };
    signal.addEventListener('abort', abort, { once: true });
    const finished = this.#finish();
    // Set only now: the last commit is still a commit like any other.
    this.#phase = 'stopping';
    if (signal.aborted) abort();
    // A disk that hangs cannot be made to answer: when the time is over, it is left alone.
    await Promise.race([finished, giveUp.promise]);
    signal.removeEventListener('abort', abort);
    this.#end.abort();
    this.#phase = 'stopped';
    this.#wakeReaders();
    await this.#release();
  }

  append(payload: Uint8Array, items: number): Offset {
    if (this.#phase !== 'started')
      throw new GatewayError(`cannot append to the log in ${this.#path}: it is not running`);
    const size = RECORD_HEADER_BYTES + payload.length;
    const most = Math.min(MAX_PAYLOAD_BYTES, Math.floor(this.#options.maxBytes / 4) - RECORD_HEADER_BYTES);
    if (payload.length > most) {
      throw new GatewayError(`cannot append ${payload.length} bytes to the log in ${this.#path}`, {
        hint: `a record has at most ${most} bytes here, a quarter of the size of the log`,
      });
    }
    if (this.#buffer.bytes + size > this.#maxPendingBytes) {
      throw new GatewayError(
        `cannot append to the log in ${this.#path}: ${this.#buffer.bytes} bytes wait for the disk already`,
        { hint: this.#troubles.summary ?? 'wait for commits before appending more' },
      );
    }
    const offset = this.#nextOffset++;
    this.#buffer.append(offset, items, this.#clock.now(), payload);
    return offset;
  }

  commit(): Promise<void> {
    if (this.#phase !== 'started') {
      return Promise.reject(new GatewayError(`cannot commit to the log in ${this.#path}: it is not running`));
    }
    // Nothing was appended since the running commit began: it covers everything.
    if (this.#buffer.bytes === 0) return this.#running?.promise ?? DONE;
    return this.#commit();
  }

  reader(from: Offset): LogReader {
    const log = this;
    return new SegmentLogReader(
      {
        disk: this.#options.disk,
        logger: this.#options.logger,
        quarantine: this.#quarantine,
        get segments() {
          return log.#segments;
        },
        get stopped() {
          return log.#phase === 'stopped';
        },
        readableOffset: () => this.#durableOffset,
        onDamage: () => this.#saveState(),
        subscribe: (wake) => {
          this.#readers.add(wake);
          return () => this.#readers.delete(wake);
        },
      },
      from,
    );
  }

  cursor(name: string): LogCursor {
    return this.#cursors.get(name, this.#firstOffset);
  }

  async trim(before: Offset): Promise<void> {
    await this.#retention?.trim(Math.min(before, this.#durableOffset));
    await this.#retention?.expire();
    this.#room?.resolve();
  }

  status(): SegmentLogStatus {
    const oldest = this.#segments.first;
    return {
      firstOffset: this.#firstOffset,
      nextOffset: this.#nextOffset,
      durableOffset: this.#durableOffset,
      bytes: this.#segments.bytes,
      maxBytes: this.#options.maxBytes,
      segments: this.#segments.length,
      oldestTime: oldest === undefined || Number.isNaN(oldest.firstTime) ? undefined : oldest.firstTime,
      droppedItems: this.#state.droppedItems,
      quarantined: this.#quarantine.count,
      trouble: this.#troubles.summary,
      missingRecords: this.#missingRecords,
      pendingBytes: this.#buffer.bytes + (this.#appender?.unsafeBytes ?? 0),
    };
  }

  get #firstOffset(): Offset {
    return this.#segments.first?.firstOffset ?? this.#durableOffset;
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

  async #recover(): Promise<void> {
    const { disk, logger, maxBytes, maxAgeMs, keepFreeBytes, onDropped } = this.#options;
    await this.#state.load();
    await this.#quarantine.start(this.#state.quarantined);
    await this.#cursors.load();
    const recovered = await recover({ disk, path: this.#path, logger, quarantine: this.#quarantine });
    this.#segments = recovered.segments;
    this.#missingRecords = recovered.missingRecords;
    this.#nextOffset = Math.max(
      recovered.endOffset,
      this.#state.nextOffset,
      this.#state.droppedBefore,
      this.#cursors.greatest,
    );
    this.#durableOffset = this.#nextOffset;
    await this.#cursors.mend(this.#firstOffset, Math.max(recovered.endOffset, this.#state.nextOffset));
    this.#appender = new SegmentAppender({
      disk,
      path: this.#path,
      clock: this.#clock,
      logger,
      segments: this.#segments,
      segmentBytes: this.#segmentBytes,
      countsAfter: this.#sync === 'always' ? 'sync' : 'write',
      syncs: this.#sync !== 'never',
      release: (chunk) => this.#buffer.release(chunk),
    });
    this.#retention = new Retention({
      disk,
      path: this.#path,
      clock: this.#clock,
      logger,
      segments: this.#segments,
      state: this.#state,
      troubles: this.#troubles,
      maxBytes,
      maxAgeMs,
      keepFreeBytes: keepFreeBytes ?? 0,
      active: () => this.#appender?.active,
      onDropped: onDropped ?? (() => undefined),
    });
    // What was dropped and counted just before a crash, but not deleted yet.
    await this.#retention.trim(this.#state.droppedBefore);
    await this.#saveState();
  }

  /** Shares the commit that is due; begins it at once when none is running. */
  #commit(): Promise<void> {
    this.#due ??= Promise.withResolvers();
    const { promise } = this.#due;
    this.#startPump();
    return promise;
  }

  #startPump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    this.#pumped = this.#pump();
  }

  async #pump(): Promise<void> {
    const appender = this.#appender!;
    while (this.#due !== undefined || (this.#syncDue && appender.unsynced)) {
      this.#running = this.#due;
      this.#due = undefined;
      const end = this.#nextOffset;
      appender.enqueue(this.#buffer.take());
      const failure = await this.#persist(appender);
      const running = this.#running;
      this.#running = undefined;
      if (failure === undefined) {
        this.#durableOffset = end;
        running?.resolve();
        this.#wakeReaders();
      } else {
        running?.reject(failure);
        if (running === undefined) break;
      }
    }
    this.#isPumping = false;
  }

  /** Writes and syncs what is queued, however often the disk fails. Returns why it gave up, which it does only when stopped. */
  async #persist(appender: SegmentAppender): Promise<GatewayError | undefined> {
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#writeQueue(appender);
        this.#troubles.end('writing');
        return undefined;
      } catch (error) {
        await this.#fallBack(appender);
        if (this.#end.signal.aborted) {
          return new GatewayError(`the log in ${this.#path} was stopped before it could write: ${messageOf(error)}`, {
            cause: error,
          });
        }
        this.#troubles.begin('writing', `cannot write to ${this.#path}: ${messageOf(error)}`);
        if (isNoSpace(error) && (await this.#makeRoom(appender))) continue;
      }
      await this.#clock.sleep(backoffMs(attempt, this.#retryOptions()), this.#end.signal);
    }
  }

  #retryOptions(): { firstMs: number; maxMs: number; random?: () => number } {
    const { random } = this.#options;
    return random === undefined ? RETRY : { ...RETRY, random };
  }

  async #writeQueue(appender: SegmentAppender): Promise<void> {
    await this.#retention!.expire();
    for (let chunk = appender.head; chunk !== undefined; chunk = appender.head) {
      if (await this.#waitForRoom(appender, chunk)) await appender.writeHead();
    }
    if (this.#sync === 'never') return;
    if (this.#sync === 'always' || this.#syncDue || appender.unsafeBytes > UNSYNCED_BYTES) {
      await appender.sync();
      this.#syncDue = false;
    }
  }

  /** After a failed write or sync: what is not surely on disk is queued again, and readers do not see it meanwhile. */
  async #fallBack(appender: SegmentAppender): Promise<void> {
    await appender.abandon();
    this.#durableOffset = Math.min(this.#durableOffset, appender.head?.firstOffset ?? this.#durableOffset);
  }

  /** Returns once there is room for the head of the queue; false when the head was dropped instead. */
  async #waitForRoom(appender: SegmentAppender, chunk: Chunk): Promise<boolean> {
    for (;;) {
      const lack = await this.#retention!.lack(appender.growth());
      if (lack === undefined) {
        this.#troubles.end('making room');
        return true;
      }
      if (await this.#makeRoom(appender)) {
        if (appender.head !== chunk) return false;
        continue;
      }
      this.#troubles.begin('making room', lack);
      // What is written already need not wait for the room of the rest.
      if (appender.unsynced && this.#sync === 'always') await appender.sync();
      if (this.#end.signal.aborted) throw new GatewayError(lack);
      this.#room = Promise.withResolvers();
      await Promise.race([this.#room.promise, this.#clock.sleep(ROOM_POLL_MS, this.#end.signal)]);
      this.#room = undefined;
    }
  }

  /** Does what `whenFull` says; true when something was dropped. */
  async #makeRoom(appender: SegmentAppender): Promise<boolean> {
    const { whenFull } = this.#options;
    if (whenFull === 'drop-oldest') return await this.#retention!.dropOldest();
    if (whenFull !== 'drop-newest' || appender.head === undefined) return false;
    const { items, firstOffset, endOffset } = appender.head;
    appender.dropHead();
    await this.#retention!.dropUnwritten(items, firstOffset, endOffset);
    return true;
  }

  async #syncEvery(everyMs: number): Promise<void> {
    const { signal } = this.#syncEnd;
    while (!signal.aborted) {
      await this.#clock.sleep(everyMs, signal);
      this.#syncDue = true;
      this.#startPump();
    }
  }

  async #finish(): Promise<void> {
    const appender = this.#appender!;
    this.#syncEnd.abort();
    if (this.#buffer.bytes > 0) await this.#settled(this.#commit());
    await this.#syncLoop;
    await this.#pumped;
    try {
      await appender.close(this.#nextOffset);
    } catch (error) {
      this.#troubles.begin('writing', `cannot sync ${this.#path} at the end: ${messageOf(error)}`);
      await appender.abandon();
    }
    await this.#cursors.stop();
    await this.#saveState();
  }

  /** The outcome of a commit is told to those who asked for it. */
  async #settled(commit: Promise<void>): Promise<void> {
    try {
      await commit;
    } catch (error) {
      this.#options.logger.error({}, messageOf(error));
    }
  }

  async #saveState(): Promise<void> {
    this.#state.nextOffset = this.#nextOffset;
    this.#state.quarantined = this.#quarantine.count;
    await this.#state.save();
  }

  async #release(): Promise<void> {
    const unlock = this.#unlock;
    this.#unlock = undefined;
    await unlock?.();
  }

  #wakeReaders(): void {
    for (const wake of [...this.#readers]) wake();
  }
}
