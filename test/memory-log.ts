import type { Log, LogCursor, LogReader, LogRecord, LogStatus, Offset } from '../gateway/core/log.ts';

/** A log in memory, for tests of what stands on a log. `commit` waits while `stuck` is set. */
export class MemoryLog implements Log {
  readonly records: LogRecord[] = [];
  readonly #cursors = new Map<string, { offset: Offset }>();
  #first = 0;
  #durable = 0;
  #waiting: (() => void)[] = [];
  #release: (() => void)[] = [];
  #stuck = false;

  /** What a crash leaves of it: the durable records and the cursors. */
  afterCrash(): MemoryLog {
    const log = new MemoryLog();
    log.records.push(...this.records.slice(0, this.#durable));
    log.#first = this.#first;
    log.#durable = this.#durable;
    for (const [name, { offset }] of this.#cursors) log.#cursors.set(name, { offset });
    return log;
  }

  async start(): Promise<void> {}
  async stop(): Promise<void> {}

  /** While true nothing becomes durable. */
  set stuck(stuck: boolean) {
    this.#stuck = stuck;
    if (!stuck) for (const release of this.#release.splice(0)) release();
  }

  append(payload: Uint8Array, items: number): Offset {
    const offset = this.records.length;
    this.records.push({ offset, items, time: offset, payload: Uint8Array.from(payload) });
    return offset;
  }

  async commit(): Promise<void> {
    const end = this.records.length;
    while (this.#stuck) await new Promise<void>((resolve) => this.#release.push(resolve));
    this.#durable = Math.max(this.#durable, end);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  reader(from: Offset): LogReader {
    const log = this;
    let position = Math.max(from, this.#first);
    return {
      get position() {
        return position;
      },
      async read(maxBytes) {
        const start = position;
        let bytes = 0;
        while (position < log.#durable && (position === start || bytes < maxBytes))
          bytes += log.records[position++]!.payload.length;
        return log.records.slice(start, position);
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

  cursor(name: string): LogCursor {
    const state = this.#cursors.get(name) ?? { offset: 0 };
    this.#cursors.set(name, state);
    return {
      name,
      get offset() {
        return state.offset;
      },
      async commit(offset) {
        state.offset = offset;
      },
    };
  }

  async trim(before: Offset): Promise<void> {
    this.#first = Math.max(this.#first, Math.min(before, this.#durable));
  }

  status(): LogStatus {
    return {
      firstOffset: this.#first,
      nextOffset: this.records.length,
      durableOffset: this.#durable,
      bytes: this.records.slice(this.#first).reduce((total, { payload }) => total + payload.length, 0),
      maxBytes: Number.MAX_SAFE_INTEGER,
      segments: 1,
      oldestTime: this.records[this.#first]?.time,
      droppedItems: 0,
      quarantined: 0,
      missingRecords: 0,
      pendingBytes: this.records.slice(this.#durable).reduce((total, { payload }) => total + payload.length, 0),
      trouble: undefined,
    };
  }
}
