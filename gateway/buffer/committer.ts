import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../core/clock.ts';
import { isNoSpace } from '../core/disk.ts';
import { GatewayError, messageOf } from '../core/errors.ts';
import type { Offset } from '../core/log.ts';
import { RECORD_HEADER_BYTES } from './format.ts';
import type { Retention } from './retention.ts';
import type { SegmentAppender } from './segment-appender.ts';
import type { SyncPolicy, WhenFull } from './segment-log-options.ts';
import type { Thinning } from './thinning.ts';
import type { Troubles } from './troubles.ts';
import type { Chunk, WriteBuffer } from './write-buffer.ts';

/** What a committer works with: the parts of one log, and that log's promises. */
export interface CommitterOptions {
  /** Folder of the log, for messages. */
  readonly path: string;
  readonly clock: Clock;
  readonly troubles: Troubles;
  readonly buffer: WriteBuffer;
  readonly appender: SegmentAppender;
  readonly retention: Retention;
  /** Needed where `whenFull` is `thin`. */
  readonly thinning: Thinning | undefined;
  readonly sync: SyncPolicy;
  readonly whenFull: WhenFull;
  /** Largest payload of a record; a larger one is refused with a `GatewayError`. */
  readonly maxPayloadBytes: number;
  /** Most bytes that may wait in memory for the disk; an append beyond is refused with a `GatewayError`. */
  readonly maxPendingBytes: number;
  /** Uniform in [0, 1), for the jitter of retries; undefined takes that of `backoffMs`. */
  readonly random: (() => number) | undefined;
  /** Offset of the first record it will take. */
  readonly nextOffset: Offset;
  /** Ordinal of its first item. */
  readonly nextOrdinal: number;
  /** More has become durable. */
  readonly onDurable: () => void;
}

/** A disk that is well again is used again within a second. */
const RETRY = { firstMs: 20, maxMs: 700 };
/** How often a full log looks whether something else than a trim has made room. */
const ROOM_POLL_MS = 250;
/** Unsynced records are kept in memory: so many bytes make a sync due at once. */
const UNSYNCED_BYTES = 8 * 1024 * 1024;
const DONE: Promise<void> = Promise.resolve();

/** Somebody who waits until everything before an offset is on the medium. */
interface SyncWaiter extends PromiseWithResolvers<void> {
  readonly before: Offset;
}

/**
 * Numbers records, keeps them in memory and brings them to disk in groups: a commit that finds the disk idle is written and synced
 * at once, those that come meanwhile share the next write and sync. What fails is tried until it succeeds or `giveUp`.
 */
export class Committer {
  readonly #options: CommitterOptions;
  /** Aborted when nothing more will be tried. */
  readonly #end = new AbortController();
  #nextOffset: Offset;
  #durableOffset: Offset;
  #nextOrdinal: number;
  #durableOrdinal: number;
  /** Everything before this is on the medium. */
  #syncedOffset: Offset;
  /** What is being brought to the disk, and what is due when that is done. */
  #running: PromiseWithResolvers<void> | undefined;
  #due: PromiseWithResolvers<void> | undefined;
  #pumped: Promise<void> = DONE;
  /** Bytes of the records that the running round took out of the buffer. */
  #taken = 0;
  /** Who waits for the medium. */
  #syncWaiters: SyncWaiter[] = [];
  /** Ends the loop of `everyMs`, which runs until `syncLoop` resolves. */
  readonly #syncEnd = new AbortController();
  #syncLoop: Promise<void> = DONE;
  #room: PromiseWithResolvers<void> | undefined;

  constructor(options: CommitterOptions) {
    this.#options = options;
    this.#nextOffset = options.nextOffset;
    this.#durableOffset = options.nextOffset;
    this.#syncedOffset = options.nextOffset;
    this.#nextOrdinal = options.nextOrdinal;
    this.#durableOrdinal = options.nextOrdinal;
    if (typeof options.sync === 'object') this.#syncLoop = this.#syncEvery(options.sync.everyMs);
  }

  /** Offset that the next append will get. */
  get nextOffset(): Offset {
    return this.#nextOffset;
  }

  /** Everything before this is durable, as far as `sync` promises. */
  get durableOffset(): Offset {
    return this.#durableOffset;
  }

  /** Items appended since the log was created. */
  get nextOrdinal(): number {
    return this.#nextOrdinal;
  }

  /** Items that were appended before `durableOffset`. */
  get durableOrdinal(): number {
    return this.#durableOrdinal;
  }

  /** Bytes in memory that are not safe yet. */
  get pendingBytes(): number {
    return this.#options.buffer.bytes + this.#options.appender.unsafeBytes;
  }

  /** See `Log`. */
  append(payload: Uint8Array, items: number): Offset {
    const { path, buffer, clock, troubles, maxPayloadBytes, maxPendingBytes } = this.#options;
    if (payload.length > maxPayloadBytes) {
      throw new GatewayError(`cannot append ${payload.length} bytes to the log in ${path}`, {
        hint: `a record has at most ${maxPayloadBytes} bytes here: 64 MiB, or a quarter of the log where that is less`,
      });
    }
    const waiting = buffer.bytes + this.#taken;
    if (waiting + RECORD_HEADER_BYTES + payload.length > maxPendingBytes) {
      throw new GatewayError(`cannot append to the log in ${path}: ${waiting} bytes wait for the disk already`, {
        hint: troubles.summary ?? 'wait for commits before appending more',
      });
    }
    const offset = this.#nextOffset++;
    buffer.append(offset, items, this.#nextOrdinal, clock.now(), payload);
    this.#nextOrdinal += items;
    return offset;
  }

  /** See `Log`. */
  commit(): Promise<void> {
    // Nothing was appended since the running round began: it covers everything.
    if (this.#options.buffer.bytes === 0) return this.#running?.promise ?? DONE;
    return this.#nextRound();
  }

  /** See `Log`. */
  sync(before = this.#nextOffset): Promise<void> {
    if (this.#syncedOffset >= before) return DONE;
    const waiter = { before, ...Promise.withResolvers<void>() };
    this.#syncWaiters.push(waiter);
    // Who waits for the medium is told for itself, also of a failure.
    this.#nextRound().catch(() => undefined);
    return waiter.promise;
  }

  /** A trim may have made room. */
  roomMade(): void {
    this.#room?.resolve();
  }

  /** Commits what there is, then closes the segment; nothing may be appended any more. Never rejects. */
  async finish(): Promise<void> {
    const { appender, troubles, path } = this.#options;
    this.#syncEnd.abort();
    try {
      await this.commit();
      await this.#syncLoop;
      await this.#pumped;
      await appender.close(this.#nextOffset);
    } catch (error) {
      troubles.begin('writing', `cannot finish the log in ${path}: ${messageOf(error)}`);
      await this.#pumped;
      await appender.abandon();
    }
    this.#end.abort();
  }

  /** Tries nothing again; commits that still wait are rejected. */
  giveUp(): void {
    this.#end.abort();
  }

  /** Resolves when everything appended so far has been brought to the disk, by a round that is yet to begin. */
  #nextRound(): Promise<void> {
    this.#due ??= Promise.withResolvers();
    const { promise } = this.#due;
    if (this.#running === undefined) this.#pumped = this.#pump();
    return promise;
  }

  /** Brings what there is to the disk, round by round. */
  async #pump(): Promise<void> {
    const appender = this.#options.appender;
    while (this.#due !== undefined) {
      const round = this.#due;
      this.#running = round;
      this.#due = undefined;
      const end = this.#nextOffset;
      const endOrdinal = this.#nextOrdinal;
      this.#taken = this.#options.buffer.bytes;
      appender.enqueue(this.#options.buffer.take());
      const failure = await this.#persist(appender);
      this.#taken = 0;
      if (failure === undefined) {
        this.#durableOffset = end;
        this.#durableOrdinal = endOrdinal;
        if (!appender.unsynced) this.#synced(end);
        round.resolve();
        this.#options.onDurable();
      } else {
        round.reject(failure);
        for (const waiter of this.#syncWaiters.splice(0)) waiter.reject(failure);
      }
      this.#running = undefined;
    }
  }

  #synced(end: Offset): void {
    this.#syncedOffset = end;
    const waiters = this.#syncWaiters;
    this.#syncWaiters = waiters.filter(({ before }) => before > end);
    for (const { before, resolve } of waiters) if (before <= end) resolve();
  }

  /** Writes and syncs what is queued, however often the disk fails. Returns why it gave up, which it does only when stopped. */
  async #persist(appender: SegmentAppender): Promise<GatewayError | undefined> {
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#writeQueue(appender);
        this.#options.troubles.end('writing');
        return undefined;
      } catch (error) {
        // What is on a full disk already needs no room: it stays, where else it would be queued again, and dropped as the newest.
        if (isNoSpace(error)) await this.#save(appender);
        await this.#fallBack(appender);
        if (this.#end.signal.aborted) {
          return new GatewayError(
            `the log in ${this.#options.path} was stopped before it could write: ${messageOf(error)}`,
            {
              cause: error,
            },
          );
        }
        this.#options.troubles.begin('writing', `cannot write to ${this.#options.path}: ${messageOf(error)}`);
        if (isNoSpace(error) && (await this.#makeRoom(appender))) continue;
      }
      await this.#options.clock.sleep(backoffMs(attempt, this.#retryOptions()), this.#end.signal);
    }
  }

  #retryOptions(): { firstMs: number; maxMs: number; random?: () => number } {
    const { random } = this.#options;
    return random === undefined ? RETRY : { ...RETRY, random };
  }

  async #writeQueue(appender: SegmentAppender): Promise<void> {
    await this.#options.retention.expire();
    for (let chunk = appender.head; chunk !== undefined; chunk = appender.head) {
      if (await this.#waitForRoom(appender, chunk)) await appender.writeHead();
    }
    if (this.#options.sync === 'always' || this.#syncWaiters.length > 0 || appender.unsafeBytes > UNSYNCED_BYTES) {
      await appender.sync();
    }
  }

  /** Syncs what is written, if the disk does it. */
  async #save(appender: SegmentAppender): Promise<void> {
    try {
      await appender.sync();
    } catch (error) {
      this.#options.troubles.begin('writing', `cannot sync ${this.#options.path}: ${messageOf(error)}`);
    }
  }

  /** After a failed write or sync: what is not surely on disk is queued again, and readers do not see it meanwhile. */
  async #fallBack(appender: SegmentAppender): Promise<void> {
    await appender.abandon();
    const { head } = appender;
    if (head === undefined || head.firstOffset >= this.#durableOffset) return;
    this.#durableOffset = head.firstOffset;
    this.#durableOrdinal = head.firstOrdinal;
  }

  /** Returns once there is room for the head of the queue; false when the head was dropped instead. */
  async #waitForRoom(appender: SegmentAppender, chunk: Chunk): Promise<boolean> {
    for (;;) {
      const lack = await this.#lack(appender);
      if (lack === undefined) {
        this.#options.troubles.end('making room');
        return true;
      }
      if (await this.#makeRoom(appender)) {
        if (appender.head !== chunk) return false;
        continue;
      }
      this.#options.troubles.begin('making room', lack);
      // What is written already does not wait for the room of the rest: reading it is what makes room.
      await appender.sync();
      this.#synced(chunk.firstOffset);
      this.#durableOffset = Math.max(this.#durableOffset, chunk.firstOffset);
      this.#durableOrdinal = Math.max(this.#durableOrdinal, chunk.firstOrdinal);
      this.#options.onDurable();
      if (this.#end.signal.aborted) throw new GatewayError(lack);
      this.#room = Promise.withResolvers();
      await Promise.race([this.#room.promise, this.#options.clock.sleep(ROOM_POLL_MS, this.#end.signal)]);
      this.#room = undefined;
    }
  }

  /** Why there is no room for the head of the queue; where there is none for zeros behind it as well, it is written without. */
  async #lack(appender: SegmentAppender): Promise<string | undefined> {
    const { retention } = this.#options;
    appender.writesAhead = true;
    if ((await retention.lack(appender.growth())) === undefined) return undefined;
    appender.writesAhead = false;
    return await retention.lack(appender.growth());
  }

  /** Does what `whenFull` says; true when something was dropped. */
  async #makeRoom(appender: SegmentAppender): Promise<boolean> {
    const { whenFull, retention, thinning } = this.#options;
    if (whenFull === 'thin' && (await thinning?.thin())) return true;
    if (whenFull === 'thin' || whenFull === 'drop-oldest') return await retention.dropOldest();
    const { head } = appender;
    if (whenFull !== 'drop-newest' || head === undefined) return false;
    const isNoted = await retention.noteUnwritten(head, appender.unwrittenItems + head.items);
    if (isNoted) appender.dropHead();
    return isNoted;
  }

  async #syncEvery(everyMs: number): Promise<void> {
    const { signal } = this.#syncEnd;
    while (!signal.aborted) {
      await this.#options.clock.sleep(everyMs, signal);
      // It is tried again until the log is stopped, and then there is nothing left to sync.
      await this.sync().catch(() => undefined);
    }
  }
}
