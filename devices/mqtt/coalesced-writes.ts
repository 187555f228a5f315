import type { Duplex } from 'node:stream';

/** Pieces up to this size are gathered, in bytes; larger ones are worth a write of their own. */
const MAX_PIECE = 2048;
const FIRST_SIZE = 128;
const MAX_SIZE = 16 * 1024;

/**
 * Gathers the small writes of a turn into one. mqtt-packet writes every packet in three to five pieces of a few bytes, and a batch
 * of PUBACKs in hundreds: copying them together costs a fraction of what the stream asks for each piece. The order is kept.
 */
export function coalesceWrites(stream: Duplex): void {
  const gathered = new GatheredWrites(stream);
  const end = stream.end.bind(stream) as (...rest: unknown[]) => Duplex;
  const writable = stream as unknown as {
    write: (chunk: unknown, ...rest: unknown[]) => boolean;
    end: (...rest: unknown[]) => Duplex;
    cork: undefined;
  };
  writable.write = (chunk, ...rest) => gathered.write(chunk, rest);
  writable.end = (...rest) => {
    gathered.flush();
    return end(...rest);
  };
  // mqtt-packet corks a stream that can be, for every packet; here there is nothing left to cork.
  writable.cork = undefined;
}

class GatheredWrites {
  readonly #stream: Duplex;
  readonly #write: (chunk: unknown, ...rest: unknown[]) => boolean;
  readonly #flushLater: () => void;
  #buffer: Buffer | undefined;
  #used = 0;

  constructor(stream: Duplex) {
    this.#stream = stream;
    this.#write = stream.write.bind(stream) as (chunk: unknown, ...rest: unknown[]) => boolean;
    this.#flushLater = () => this.flush();
  }

  write(chunk: unknown, rest: readonly unknown[]): boolean {
    if (rest.length === 0) {
      if (typeof chunk === 'string') {
        // At most three bytes of UTF-8 for a UTF-16 code unit.
        if (chunk.length * 3 <= MAX_PIECE) {
          const buffer = this.#room(chunk.length * 3);
          this.#used += buffer.write(chunk, this.#used);
          return this.#roomLeft();
        }
      } else if (chunk instanceof Uint8Array && chunk.length <= MAX_PIECE) {
        const buffer = this.#room(chunk.length);
        // A loop beats `set` for the two or three bytes that most pieces have.
        if (chunk.length < 16) for (let i = 0; i < chunk.length; i++) buffer[this.#used + i] = chunk[i]!;
        else buffer.set(chunk, this.#used);
        this.#used += chunk.length;
        return this.#roomLeft();
      }
    }
    this.flush();
    return this.#write(chunk, ...rest);
  }

  flush(): void {
    const buffer = this.#buffer;
    if (buffer === undefined) return;
    this.#buffer = undefined;
    const bytes = buffer.subarray(0, this.#used);
    this.#used = 0;
    if (!this.#stream.destroyed) this.#write(bytes);
  }

  #room(bytes: number): Buffer {
    let buffer = this.#buffer;
    if (buffer === undefined) {
      process.nextTick(this.#flushLater);
      buffer = Buffer.allocUnsafe(Math.max(FIRST_SIZE, bytes));
    } else if (this.#used + bytes > buffer.length) {
      if (this.#used + bytes > MAX_SIZE) {
        this.flush();
        buffer = Buffer.allocUnsafe(MAX_SIZE);
      } else {
        const larger = Buffer.allocUnsafe(Math.min(MAX_SIZE, Math.max(buffer.length * 4, this.#used + bytes)));
        larger.set(buffer.subarray(0, this.#used));
        buffer = larger;
      }
    }
    this.#buffer = buffer;
    return buffer;
  }

  #roomLeft(): boolean {
    return this.#stream.writableLength + this.#used < this.#stream.writableHighWaterMark;
  }
}
