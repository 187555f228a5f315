import type { Result } from '../../core/result.ts';

const FIRST_BYTES = 64 * 1024;
/** A UTF-16 code unit takes no more in UTF-8. */
const BYTES_PER_UNIT = 3;

/** Gathers results as NDJSON, in UTF-8. */
export class Lines {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #length = 0;

  /** In bytes. */
  get length(): number {
    return this.#length;
  }

  add(results: readonly Result[]): void {
    for (const result of results) {
      const line = `${JSON.stringify(result)}\n`;
      this.#reserve(line.length * BYTES_PER_UNIT);
      this.#length += this.#bytes.write(line, this.#length);
    }
  }

  /** What was gathered since the last call, in a buffer of its own. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = new Uint8Array(this.#length);
    taken.set(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    return taken;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#length + more));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
