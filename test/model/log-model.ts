import { expect } from 'vitest';
import { SegmentLog, type SyncPolicy, type WhenFull } from '../../gateway/buffer/segment-log.ts';
import type { LogReader, LogRecord } from '../../gateway/core/log.ts';
import { recordingLogger } from '../recording-logger.ts';
import { type DiskCall, FaultyDisk, seededRandom } from './faulty-disk.ts';
import { ItemFates } from './item-fates.ts';
import { LeapingClock } from './leaping-clock.ts';

const never = new AbortController().signal;
const STEPS = 60;

/**
 * The log against what it must be: a plain array of everything that was ever appended, and for each promise it makes a line in
 * `#verify`. Actions, faults and crashes are drawn from a seed, which is printed when a run fails.
 */
export class LogModel {
  readonly #random: () => number;
  readonly #disk: FaultyDisk;
  readonly #clock = new LeapingClock();
  readonly #sync: SyncPolicy;
  readonly #whenFull: WhenFull;
  /** By offset, what was appended in this life of the log or is known to have survived earlier ones. */
  readonly #appended = new Map<number, { payload: string; items: number; ordinal: number }>();
  /** Records before this were promised to be durable. */
  #promised = 0;
  /** Records before this may be gone: trimmed or dropped. */
  #mayBeGone = 0;
  #log: SegmentLog;
  #tail: { reader: LogReader; next: number } | undefined;
  #serial = 0;
  readonly #fates = new ItemFates();
  /** The disk has failed in this life. */
  #diskFailed = false;
  #powerWasCut = false;
  readonly #cursors = new Map<string, { safe: number; latest: number }>();

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#disk = new FaultyDisk(this.#random);
    this.#sync = this.#pick<SyncPolicy>(['always', 'always', 'always', 'never', { everyMs: 1000 }]);
    this.#whenFull = this.#pick<WhenFull>(['block', 'drop-oldest', 'drop-newest']);
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
    }
    await this.#verify();
    await this.#log.stop(never);
  }

  #make(): SegmentLog {
    return new SegmentLog({
      path: '/log',
      disk: this.#disk.mount(),
      clock: this.#clock,
      logger: recordingLogger(),
      sync: this.#sync,
      maxBytes: 256 * 1024,
      segmentBytes: 8 * 1024,
      whenFull: this.#whenFull,
      random: this.#random,
      onDropped: ({ items, endOffset, firstOffset }) => {
        this.#fates.drop(firstOffset, endOffset, items);
        if (this.#whenFull === 'drop-newest') {
          for (let offset = firstOffset; offset < endOffset; offset++) this.#appended.delete(offset);
        } else this.#mayBeGone = Math.max(this.#mayBeGone, endOffset);
      },
    });
  }

  #append(): void {
    const records = this.#upTo(20);
    for (let i = 0; i < records; i++) {
      const size = this.#random() < 0.03 ? this.#upTo(12_000) : this.#upTo(300);
      const payload = `${this.#serial++} `.padEnd(size, '.');
      const items = this.#upTo(5);
      const ordinal = this.#log.status().appendedItems;
      const offset = this.#log.append(Buffer.from(payload), items);
      expect(this.#appended.has(offset), `offset ${offset} given twice`).toBe(false);
      this.#appended.set(offset, { payload, items, ordinal });
      this.#fates.append(offset, items, ordinal);
    }
  }

  async #commit(): Promise<void> {
    const promised = this.#log.status().nextOffset;
    const life = this.#log;
    await life.commit();
    if (life === this.#log) this.#promised = Math.max(this.#promised, promised);
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
      if (!done && this.#log.status().bytes > 128 * 1024) await this.#trim();
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
    await this.#log.stop(never);
    this.#promised = end;
    await this.#reopen();
    expect(this.#log.status().nextOffset).toBeGreaterThanOrEqual(end);
  }

  async #crash(commit?: Promise<void>): Promise<void> {
    const power = this.#random() < 0.7;
    const old = this.#log;
    this.#powerWasCut ||= power;
    // Without a sync for each commit, or without notes on a failing disk, nobody can tell exactly what a crash has cost.
    if (this.#diskFailed || this.#sync !== 'always') this.#fates.blur();
    if (power) this.#disk.cutPower();
    else this.#disk.kill();
    // From now on the dead log gets nothing but errors; those who waited for it must learn that.
    this.#disk.fault = () => undefined;
    this.#disk.capacity = Number.POSITIVE_INFINITY;
    await old.stop(AbortSignal.abort());
    await commit?.catch((error: Error) => expect(error.message).toContain('stopped'));
    // Without a sync for each commit a power cut may cost anything, and a crash what a failing disk had still to be given again.
    if (this.#sync !== 'always' && (power || commit !== undefined)) this.#promised = 0;
    await this.#reopen();
  }

  async #reopen(): Promise<void> {
    this.#tail = undefined;
    this.#diskFailed = false;
    this.#log = this.#make();
    await this.#log.start(never);
    this.#fates.crashed(await this.#readAll(), this.#log.status());
    let end = this.#promised;
    // Numbers of records that were never written may be given again where the disk was too full to remember them.
    if (this.#whenFull === 'drop-newest') while (end > 0 && !this.#appended.has(end - 1)) end--;
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
    expect(status.bytes).toBeLessThanOrEqual(256 * 1024);
    return survived;
  }

  async #readAll(): Promise<Set<number>> {
    const reader = this.#log.reader(0);
    const survived = new Set<number>();
    let next = 0;
    for (let records = await reader.read(4000); records.length > 0; records = await reader.read(4000)) {
      for (const record of records) {
        expect(record.offset).toBeGreaterThanOrEqual(next);
        this.#expectNoneBetween(next, record.offset);
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
    const found = { payload: Buffer.from(payload).toString(), items, ordinal };
    expect(found, `record ${offset}`).toEqual(this.#appended.get(offset));
  }

  #expectNoneBetween(from: number, to: number): void {
    for (let offset = Math.max(from, this.#mayBeGone); offset < Math.min(to, this.#promised); offset++) {
      if (this.#appended.has(offset)) expect.fail(`record ${offset} was promised and is missing`);
    }
  }

  #upTo(most: number): number {
    return Math.floor(this.#random() * (most + 1));
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random() * choices.length)]!;
  }
}
