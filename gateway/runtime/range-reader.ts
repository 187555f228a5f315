import type { Log, LogReader, LogRecord, Offset } from '../core/log.ts';

const READ_BYTES = 512 * 1024;

/** Reads a log from an offset on in portions of about equal size. */
export class RangeReader {
  readonly #reader: LogReader;
  #waiting: LogRecord[] = [];

  constructor(log: Log, from: Offset) {
    this.#reader = log.reader(from);
  }

  /**
   * The next records before `to`: as many as hold no more than `maxItems` items together, one at least. None when nothing that is
   * durable is left before `to`.
   */
  async take(maxItems: number, to: Offset): Promise<readonly LogRecord[]> {
    const taken: LogRecord[] = [];
    let items = 0;
    for (;;) {
      const record = this.#waiting[0] ?? (await this.#readMore());
      if (record === undefined || record.offset >= to) return taken;
      if (taken.length > 0 && items + record.items > maxItems) return taken;
      this.#waiting.shift();
      taken.push(record);
      items += record.items;
    }
  }

  /** Resolves when there may be something to take, or when `signal` aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    if (this.#waiting.length === 0) await this.#reader.wait(signal);
  }

  close(): Promise<void> {
    return this.#reader.close();
  }

  async #readMore(): Promise<LogRecord | undefined> {
    this.#waiting.push(...(await this.#reader.read(READ_BYTES)));
    return this.#waiting[0];
  }
}
