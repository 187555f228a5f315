import { expect } from 'vitest';
import type { Dropped } from '../../gateway/buffer/retention.ts';
import { SegmentLog, type SyncPolicy, type WhenFull } from '../../gateway/buffer/segment-log.ts';
import type { LogReader, LogRecord } from '../../gateway/core/log.ts';
import { recordingLogger } from '../recording-logger.ts';
import { type DiskCall, FaultyDisk, seededRandom } from './faulty-disk.ts';
import { ItemFates } from './item-fates.ts';
import { LeapingClock } from './leaping-clock.ts';
import { listPayload, listThinner } from './list-thinner.ts';

const never = new AbortController().signal;
const STEPS = 60;

/** A record as it was appended, and what thinning has made of it, step by step. */
interface Entry {
  readonly versions: { readonly payload: string; readonly items: number }[];
  readonly ordinal: number;
  /** It was never written; unless the power went while it was tried. */
  dropped: boolean;
}

/**
 * The log against what it must be: a plain array of everything that was ever appended, and for each promise it makes a line in
 * `#verify`. Actions, faults and crashes are drawn from a seed, which is printed when a run fails.
 */
export class LogModel {
  readonly #random: () => number;
  /** Apart, so that the seeds that are kept still draw what they drew. */
  readonly #syncRandom: () => number;
  readonly #disk: FaultyDisk;
  readonly #clock = new LeapingClock();
  readonly #sync: SyncPolicy;
  readonly #whenFull: WhenFull;
  /** By offset, what was appended in this life of the log or is known to have survived earlier ones. */
  readonly #appended = new Map<number, Entry>();
  /** Records before this were promised to be durable. */
  #promised = 0;
  /** Those before this even where the power goes, whatever `sync` says. */
  #synced = 0;
  /** Records before this may be gone: trimmed or dropped. */
  #mayBeGone = 0;
  #log: SegmentLog;
  #tail: { reader: LogReader; next: number } | undefined;
  #items = 0;
  readonly #maxBytes: number;
  /** Raised when the power or the process goes: what an old log still says does not count. */
  #life = 0;
  readonly #fates = new ItemFates();
  /** The disk has failed in this life. */
  #diskFailed = false;
  #powerWasCut = false;
  #hasCrashed = false;
  readonly #cursors = new Map<string, { safe: number; latest: number }>();

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#syncRandom = seededRandom(-seed);
    this.#disk = new FaultyDisk(this.#random);
    this.#sync = this.#pick<SyncPolicy>(['always', 'always', 'always', 'never', { everyMs: 1000 }]);
    this.#whenFull = this.#pick<WhenFull>(['block', 'drop-oldest', 'drop-newest', 'thin', 'thin']);
    this.#maxBytes = this.#pick([64, 256]) * 1024;
    this.#log = this.#make();
  }

  async run(): Promise<void> {
    await this.#log.start(never);
    for (let step = 0; step < STEPS; step++) {
      await this.#pick([
        () => this.#write(),
        () => this.#write(),
        () => this.#write(),
        () => this.#writeToFailingDisk(),
        () => this.#writeToFullDisk(),
        () => this.#readSome(),
        () => this.#verify(),
        () => this.#trim(),
        () => this.#moveCursor(),
        () => this.#restart(),
        () => this.#crash(),
      ])();
      if (this.#syncRandom() < 0.1) await this.#syncSome();
    }
    await this.#verify();
    await this.#trimWhenFull(this.#log.stop(never));
  }

  #make(): SegmentLog {
    const life = this.#life;
    return new SegmentLog({
      path: '/log',
      disk: this.#disk.mount(),
      clock: this.#clock,
      logger: recordingLogger(),
      sync: this.#sync,
      maxBytes: this.#maxBytes,
      segmentBytes: this.#maxBytes / 32,
      whenFull: this.#whenFull,
      random: this.#random,
      thinner: listThinner,
      onDropped: (dropped) => {
        if (life === this.#life) this.#drop(dropped);
      },
    });
  }

  #drop({ items, endOffset, firstOffset, reason, level }: Dropped): void {
    if (reason === 'thinned') {
      for (let offset = firstOffset; offset < endOffset; offset++) this.#thin(offset, level!);
      return;
    }
    this.#fates.drop(firstOffset, endOffset, items);
    if (this.#whenFull === 'drop-newest') {
      for (let offset = firstOffset; offset < endOffset; offset++) this.#appended.get(offset)!.dropped = true;
    } else this.#mayBeGone = Math.max(this.#mayBeGone, endOffset);
  }

  #thin(offset: number, level: number): void {
    const entry = this.#appended.get(offset);
    if (entry === undefined) return;
    const thinned = listThinner.thin(Buffer.from(entry.versions.at(-1)!.payload), level);
    if (thinned === undefined) return;
    const { payload, items } = thinned;
    entry.versions.push({ payload: Buffer.from(payload).toString(), items });
    this.#fates.thin(offset, entry.versions[0]!.items - items);
  }

  #append(): void {
    const records = this.#upTo(20);
    for (let i = 0; i < records; i++) {
      const size = this.#random() < 0.03 ? this.#upTo(12_000) : this.#upTo(300);
      const items = this.#upTo(5);
      const payload = listPayload(
        Array.from({ length: items }, () => this.#items++),
        size,
      );
      const ordinal = this.#log.status().appendedItems;
      const offset = this.#log.append(payload, items);
      expect(this.#appended.get(offset)?.dropped ?? true, `offset ${offset} given twice`).toBe(true);
      this.#appended.set(offset, { versions: [{ payload: payload.toString(), items }], ordinal, dropped: false });
      this.#fates.append(offset, items, ordinal);
    }
  }

  async #commit(): Promise<void> {
    const promised = this.#log.status().nextOffset;
    const life = this.#life;
    await this.#log.commit();
    if (life === this.#life) this.#promised = Math.max(this.#promised, promised);
  }

  /** Asks for the medium, of everything or of a part. */
  async #syncSome(): Promise<void> {
    const { nextOffset } = this.#log.status();
    const before = this.#syncRandom() < 0.5 ? nextOffset : Math.floor(this.#syncRandom() * nextOffset);
    await this.#trimWhenFull(this.#log.sync(before));
    this.#synced = Math.max(this.#synced, before);
    this.#promised = Math.max(this.#promised, before);
  }

  async #write(): Promise<void> {
    const commits = [];
    for (let i = this.#upTo(4); i > 0; i--) {
      this.#append();
      const commit = this.#commit();
      commits.push(commit);
      if (this.#random() < 0.5) await this.#trimWhenFull(commit);
    }
    await this.#trimWhenFull(Promise.all(commits));
  }

  async #writeToFailingDisk(): Promise<void> {
    const calls: DiskCall[] = ['create', 'write', 'datasync', 'syncDirectory', 'truncate', 'rename', 'remove', 'close'];
    const failing = new Set(calls.filter(() => this.#random() < 0.4));
    const probability = this.#random();
    this.#diskFailed = true;
    this.#disk.fault = (call) => (failing.has(call) && this.#random() < probability ? 'EIO' : undefined);
    this.#append();
    const commit = this.#commit();
    for (let turn = this.#upTo(20); turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve));
    if (this.#random() < 0.3) {
      this.#append();
      await this.#readSome();
    }
    if (this.#random() < 0.3) return await this.#crash(commit);
    this.#disk.fault = () => undefined;
    await this.#trimWhenFull(commit);
    expect(this.#log.status().trouble ?? '').not.toContain('cannot write to /log:');
  }

  async #writeToFullDisk(): Promise<void> {
    const used = this.#disk.paths().reduce((sum, path) => sum + this.#disk.content(path).length, 0);
    this.#disk.capacity = used + this.#upTo(2000);
    this.#diskFailed = true;
    this.#append();
    const commit = this.#commit();
    for (let turn = this.#upTo(20); turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve));
    if (this.#random() < 0.3) return await this.#crash(commit);
    this.#disk.capacity = Number.POSITIVE_INFINITY;
    await this.#trimWhenFull(commit);
  }

  /** With `block` a full log waits for a trim: give it one. */
  async #trimWhenFull(commit: Promise<unknown>): Promise<void> {
    let done = false;
    const watched = commit.finally(() => {
      done = true;
    });
    while (!done) {
      await new Promise((resolve) => setImmediate(resolve));
      if (!done && this.#log.status().bytes > this.#maxBytes / 2) await this.#trim();
    }
    await watched;
  }

  async #trim(): Promise<void> {
    const { firstOffset, durableOffset } = this.#log.status();
    const before = firstOffset + this.#upTo(durableOffset - firstOffset);
    this.#mayBeGone = Math.max(this.#mayBeGone, before);
    this.#fates.trim(before);
    await this.#log.trim(before);
  }

  async #moveCursor(): Promise<void> {
    const name = this.#pick(['one', 'two']);
    const cursor = this.#log.cursor(name);
    const known = this.#cursors.get(name) ?? { safe: 0, latest: 0 };
    this.#cursors.set(name, known);
    known.latest = Math.max(known.latest, cursor.offset, this.#upTo(this.#log.status().durableOffset));
    const latest = known.latest;
    const moved = cursor.commit(latest);
    expect(cursor.offset).toBeGreaterThanOrEqual(latest);
    if (this.#random() < 0.3) return;
    await moved;
    if (this.#log.status().trouble === undefined) known.safe = latest;
  }

  /** A reader that lives as long as the log does must meet every record once, in order. */
  async #readSome(): Promise<void> {
    if (this.#tail === undefined) {
      const from = Math.max(this.#mayBeGone, this.#upTo(this.#log.status().durableOffset));
      this.#tail = { reader: this.#log.reader(from), next: from };
    }
    const tail = this.#tail;
    for (let reads = this.#upTo(5); reads > 0; reads--) {
      const records = await tail.reader.read(this.#upTo(5000));
      for (const record of records) {
        expect(record.offset).toBeGreaterThanOrEqual(tail.next);
        this.#expectNoneBetween(tail.next, record.offset);
        this.#expectAppended(record);
        tail.next = record.offset + 1;
      }
      if (records.length === 0) break;
    }
  }

  async #restart(): Promise<void> {
    const end = this.#log.status().nextOffset;
    await this.#trimWhenFull(this.#log.stop(never));
    this.#promised = end;
    this.#synced = end;
    await this.#reopen();
    expect(this.#log.status().nextOffset).toBeGreaterThanOrEqual(end);
  }

  async #crash(commit?: Promise<void>): Promise<void> {
    const power = this.#random() < 0.7;
    const old = this.#log;
    this.#powerWasCut ||= power;
    // Without a sync for each commit, or without notes on a failing disk, nobody can tell exactly what a crash has cost.
    if (this.#diskFailed || this.#sync !== 'always') this.#fates.blur();
    this.#life++;
    this.#hasCrashed = true;
    if (power) this.#disk.cutPower();
    else this.#disk.kill();
    // From now on the dead log gets nothing but errors; those who waited for it must learn that.
    this.#disk.fault = () => undefined;
    this.#disk.capacity = Number.POSITIVE_INFINITY;
    await old.stop(AbortSignal.abort());
    await commit?.catch((error: Error) => expect(error.message).toContain('stopped'));
    // Without a sync for each commit a power cut may cost anything, and a crash what a failing disk had still to be given again.
    if (this.#sync !== 'always' && (power || commit !== undefined)) this.#promised = this.#synced;
    await this.#reopen();
  }

  async #reopen(): Promise<void> {
    this.#tail = undefined;
    this.#diskFailed = false;
    this.#log = this.#make();
    await this.#log.start(never);
    this.#fates.crashed(await this.#readAll((record) => this.#forgetLaterVersions(record)), this.#log.status());
    let end = this.#promised;
    // Numbers of records that were never written may be given again where the disk was too full to remember them.
    if (this.#whenFull === 'drop-newest') while (end > 0 && this.#appended.get(end - 1)?.dropped !== false) end--;
    expect(this.#log.status().nextOffset).toBeGreaterThanOrEqual(end);
    const survived = await this.#verify();
    for (const offset of [...this.#appended.keys()]) if (!survived.has(offset)) this.#appended.delete(offset);
    for (const [name, { safe, latest }] of this.#cursors) {
      const { offset } = this.#log.cursor(name);
      if (this.#sync === 'always') expect(offset, `cursor ${name}`).toBeGreaterThanOrEqual(safe);
      expect(offset).toBeLessThanOrEqual(Math.max(latest, this.#log.status().firstOffset));
      this.#cursors.set(name, { safe: offset, latest: offset });
    }
    this.#promised = this.#log.status().durableOffset;
  }

  /** Reads everything: nothing promised is missing, nothing is there that was not appended, in order, whole. */
  async #verify(): Promise<Set<number>> {
    const survived = await this.#readAll();
    const status = this.#log.status();
    this.#fates.check(survived, status);
    // A power cut may leave later parts of an unsynced write and not earlier ones, which looks like damage.
    if (!this.#powerWasCut) expect(status.quarantined).toBe(0);
    // A crash can bring back the longer file of a segment that was thinned, and leave some that are sealed at the start.
    expect(status.bytes).toBeLessThanOrEqual(this.#maxBytes * (this.#hasCrashed ? 1 + 1 / 32 : 1));
    return survived;
  }

  /** A crash may have undone what was thinned last. */
  #forgetLaterVersions({ offset, payload }: LogRecord): void {
    const entry = this.#appended.get(offset);
    if (entry === undefined) return;
    const found = entry.versions.findIndex((version) => version.payload === Buffer.from(payload).toString());
    if (found === -1) return;
    entry.versions.splice(found + 1);
    this.#fates.thin(offset, entry.versions[0]!.items - entry.versions[found]!.items);
  }

  async #readAll(onRecord?: (record: LogRecord) => void): Promise<Set<number>> {
    const reader = this.#log.reader(0);
    const survived = new Set<number>();
    let next = 0;
    for (let records = await reader.read(4000); records.length > 0; records = await reader.read(4000)) {
      for (const record of records) {
        expect(record.offset).toBeGreaterThanOrEqual(next);
        this.#expectNoneBetween(next, record.offset);
        onRecord?.(record);
        this.#expectAppended(record);
        survived.add(record.offset);
        next = record.offset + 1;
      }
    }
    this.#expectNoneBetween(next, this.#promised);
    expect(reader.position).toBe(this.#log.status().durableOffset);
    await reader.close();
    return survived;
  }

  #expectAppended({ offset, payload, items, ordinal }: LogRecord): void {
    const entry = this.#appended.get(offset);
    expect(ordinal, `ordinal of record ${offset}`).toBe(entry?.ordinal);
    expect({ payload: Buffer.from(payload).toString(), items }, `record ${offset}`).toEqual(entry?.versions.at(-1));
  }

  #expectNoneBetween(from: number, to: number): void {
    for (let offset = Math.max(from, this.#mayBeGone); offset < Math.min(to, this.#promised); offset++) {
      if (this.#isExpected(offset)) expect.fail(`record ${offset} was promised and is missing`);
    }
  }

  #isExpected(offset: number): boolean {
    const entry = this.#appended.get(offset);
    return entry?.dropped === false && (entry.versions.at(-1)!.items > 0 || entry.versions[0]!.items === 0);
  }

  #upTo(most: number): number {
    return Math.floor(this.#random() * (most + 1));
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random() * choices.length)]!;
  }
}
