import {
  type Kept,
  type Log,
  type LogCursor,
  LogReadError,
  type LogReader,
  type LogRecord,
  type LogStatus,
  type Offset,
} from '../gateway/core/log.ts';

/** A log in memory, for tests of what stands on a log. `commit` and `sync` wait while `stuck` is set. */
export class MemoryLog implements Log {
  readonly records: LogRecord[] = [];
  /** The bound that the status tells; nothing is dropped by it. */
  maxBytes = Number.MAX_SAFE_INTEGER;
  readonly #cursors = new Map<string, { offset: Offset; note: unknown }>();
  readonly #damaged = new Set<Offset>();
  /** Records that the disk refuses to read. */
  readonly refused = new Set<Offset>();
  #appendedItems = 0;
  #first = 0;
  #durable = 0;
  #waiting: (() => void)[] = [];
  #release: (() => void)[] = [];
  #stuck = false;
  #stopped = false;
  #droppedItems = 0;

  /** What a crash leaves of it: the durable records and the cursors. */
  afterCrash(): MemoryLog {
    const log = new MemoryLog();
    log.records.push(...this.records.slice(0, this.#durable));
    const last = log.records.at(-1);
    log.#appendedItems = last === undefined ? 0 : last.ordinal + last.items;
    log.#first = this.#first;
    log.#durable = this.#durable;
    log.#droppedItems = this.#droppedItems;
    for (const offset of this.#damaged) log.#damaged.add(offset);
    for (const offset of this.refused) log.refused.add(offset);
    // As through a file: a note is what its JSON says.
    for (const [name, state] of this.#cursors) log.#cursors.set(name, JSON.parse(JSON.stringify(state)));
    return log;
  }

  async start(): Promise<void> {
    this.#stopped = false;
  }

  async stop(): Promise<void> {
    if (!this.#stopped && !this.#stuck) await this.commit();
    this.#stopped = true;
  }

  /** While true nothing becomes durable. */
  set stuck(stuck: boolean) {
    this.#stuck = stuck;
    if (!stuck) for (const release of this.#release.splice(0)) release();
  }

  /** Drops the kept records before an offset, as a full log does. */
  drop(before: Offset): void {
    const dropped = this.records.slice(this.#first, before).filter(({ offset }) => !this.#damaged.has(offset));
    this.#droppedItems += dropped.reduce((items, record) => items + record.items, 0);
    this.#first = Math.max(this.#first, before);
  }

  /** Makes a record unreadable, as damage on the disk does. */
  damage(offset: Offset): void {
    this.#damaged.add(offset);
  }

  append(payload: Uint8Array, items: number): Offset {
    if (this.#stopped) throw new Error('cannot append: the log is not running');
    const offset = this.records.length;
    const ordinal = this.#appendedItems;
    this.records.push({ offset, items, ordinal, time: offset + 1, payload: Uint8Array.from(payload) });
    this.#appendedItems += items;
    return offset;
  }

  async commit(): Promise<void> {
    if (this.#stopped) throw new Error('cannot commit: the log is not running');
    const end = this.records.length;
    while (this.#stuck) await new Promise<void>((resolve) => this.#release.push(resolve));
    this.#durable = Math.max(this.#durable, end);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async sync(before = this.records.length): Promise<void> {
    if (this.#durable < before) await this.commit();
  }

  reader(from: Offset): LogReader {
    const log = this;
    let position = from;
    return {
      get position() {
        return position;
      },
      async read(maxBytes) {
        position = Math.max(position, log.#first);
        const records: LogRecord[] = [];
        for (let bytes = 0; position < log.#durable && (records.length === 0 || bytes < maxBytes); position++) {
          if (log.#damaged.has(position)) continue;
          if (log.refused.has(position)) {
            if (records.length > 0) break;
            throw new LogReadError(position, new Error('EIO: i/o error, read'));
          }
          const record = log.records[position]!;
          records.push(record);
          bytes += record.payload.length;
        }
        return records;
      },
      async wait(signal) {
        if (position < log.#durable || signal.aborted) return;
        await new Promise<void>((resolve) => {
          log.#waiting.push(resolve);
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
      },
      async close() {},
    };
  }

  async passOver(): Promise<boolean> {
    for (const offset of this.refused) this.#damaged.add(offset);
    this.refused.clear();
    return true;
  }

  cursor(name: string, at = this.#first): LogCursor {
    const state = this.#cursors.get(name) ?? { offset: at, note: undefined };
    this.#cursors.set(name, state);
    return {
      name,
      get offset() {
        return state.offset;
      },
      get note() {
        return state.note;
      },
      async commit(offset, note) {
        state.offset = Math.max(state.offset, offset);
        if (note !== undefined) state.note = note;
      },
    };
  }

  async trim(before: Offset): Promise<void> {
    this.#first = Math.max(this.#first, Math.min(before, this.#durable));
  }

  kept(from: Offset): Kept {
    const records = this.records
      .slice(Math.max(from, this.#first), this.#durable)
      .filter(({ offset }) => !this.#damaged.has(offset));
    return {
      items: records.reduce((items, record) => items + record.items, 0),
      bytes: records.reduce((bytes, record) => bytes + record.payload.length, 0),
    };
  }

  status(): LogStatus {
    const damagedItems = [...this.#damaged].reduce((items, offset) => items + this.records[offset]!.items, 0);
    const { items, bytes } = this.kept(0);
    return {
      firstOffset: this.#first,
      firstOrdinal: this.records[this.#first]?.ordinal ?? this.#appendedItems,
      nextOffset: this.records.length,
      durableOffset: this.#durable,
      bytes,
      maxBytes: this.maxBytes,
      segments: 1,
      oldestTime: this.records[this.#first]?.time,
      appendedItems: this.#appendedItems,
      keptItems: items,
      droppedItems: this.#droppedItems,
      droppedBySeries: {},
      damagedItems,
      quarantined: 0,
      maxPendingBytes: Number.MAX_SAFE_INTEGER,
      pendingBytes: this.records.slice(this.#durable).reduce((total, { payload }) => total + payload.length, 0),
      trouble: undefined,
    };
  }
}
