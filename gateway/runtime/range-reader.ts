import type { Log, LogReader, LogRecord, Offset } from '../core/log.ts';

const READ_BYTES = 512 * 1024;

/** Reads a log from an offset on in portions of about equal size. */
export class RangeReader {
  readonly #reader: LogReader;
  readonly #waiting: LogRecord[] = [];

  constructor(log: Log, from: Offset) {
    this.#reader = log.reader(from);
  }

  /** Everything before this was taken, or cannot be read. */
  get position(): Offset {
    return this.#waiting[0]?.offset ?? this.#reader.position;
  }

  /**
   * The next records before `to`: as many as hold no more than `maxItems` items together, one at least. None when nothing that is
   * durable is left before `to`.
   */
  async take(maxItems: number, to: Offset): Promise<readonly LogRecord[]> {
    let [records, items] = [0, 0];
    for (;;) {
      // Where the disk fails just here, nothing has been taken: the next call finds it all.
      const record = this.#waiting[records] ?? (await this.#readMore(records));
      if (record === undefined || record.offset >= to) break;
      if (records > 0 && items + record.items > maxItems) break;
      records++;
      items += record.items;
    }
    return this.#waiting.splice(0, records);
  }

  /** Resolves when there may be something to take, or when `signal` aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    if (this.#waiting.length === 0) await this.#reader.wait(signal);
  }

  close(): Promise<void> {
    return this.#reader.close();
  }

  async #readMore(index: number): Promise<LogRecord | undefined> {
    this.#waiting.push(...(await this.#reader.read(READ_BYTES)));
    return this.#waiting[index];
  }
}
