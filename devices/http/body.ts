import { createGunzip } from 'node:zlib';
import { messageOf } from '../../gateway/core/errors.ts';
import type { LineWrite, LineWriteOutcome } from '../../gateway/core/line-writes.ts';

/** How large bodies may be, in bytes. */
export interface BodyLimits {
  /** As one is sent. */
  readonly maxBytes: number;
  /** The same after it was inflated. */
  readonly maxInflatedBytes: number;
  /** Everything that all requests hold at a time. */
  readonly maxHeldBytes: number;
}

/** Why a body is not taken; thrown by `readBody`. */
export class BodyRefusal extends Error {
  readonly kind: Exclude<LineWriteOutcome['kind'], 'durable'>;

  constructor(kind: BodyRefusal['kind'], detail: string) {
    super(detail);
    this.kind = kind;
  }
}

/** The memory that the bodies of all requests share. */
export class BodyRoom {
  readonly #limits: BodyLimits;
  #heldBytes = 0;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /**
   * Reads the body of a request, inflates it, and gives it to `use`; its room is free again when that is done. What is too large is refused
   * as soon as that shows: a few bytes may inflate to gigabytes. @throws BodyRefusal, and what the body or `use` throws
   */
  async read<T>(request: LineWrite, use: (body: Uint8Array) => Promise<T>): Promise<T> {
    const { maxBytes, maxInflatedBytes } = this.#limits;
    if ((request.announcedBytes ?? 0) > maxBytes) throw tooLarge('has', request.announcedBytes!, maxBytes);
    const sent = new Piece(this, maxBytes, 'has');
    const inflated = new Piece(this, maxInflatedBytes, 'inflates to');
    try {
      const raw = await sent.gather(request.body);
      if (request.encoding === 'identity') return await use(raw);
      const body = await inflated.gather(inflate(raw));
      sent.release();
      return await use(body);
    } finally {
      sent.release();
      inflated.release();
    }
  }

  /** @internal for the pieces */
  hold(bytes: number): void {
    const { maxHeldBytes } = this.#limits;
    if (this.#heldBytes + bytes > maxHeldBytes) {
      throw new BodyRefusal('busy', `the requests being written hold ${maxHeldBytes} bytes, the most they may`);
    }
    this.#heldBytes += bytes;
  }

  /** @internal for the pieces */
  free(bytes: number): void {
    this.#heldBytes -= bytes;
  }
}

/** Bytes gathered within a bound. */
class Piece {
  readonly #room: BodyRoom;
  readonly #maxBytes: number;
  readonly #verb: string;
  #bytes = 0;

  constructor(room: BodyRoom, maxBytes: number, verb: string) {
    this.#room = room;
    this.#maxBytes = maxBytes;
    this.#verb = verb;
  }

  async gather(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
    const gathered: Uint8Array[] = [];
    for await (const chunk of chunks) {
      if (this.#bytes + chunk.length > this.#maxBytes) throw tooLarge(this.#verb, undefined, this.#maxBytes);
      this.#room.hold(chunk.length);
      this.#bytes += chunk.length;
      gathered.push(chunk);
    }
    return Buffer.concat(gathered, this.#bytes);
  }

  release(): void {
    this.#room.free(this.#bytes);
    this.#bytes = 0;
  }
}

async function* inflate(raw: Uint8Array): AsyncIterable<Buffer> {
  const gunzip = createGunzip();
  gunzip.end(raw);
  try {
    for await (const chunk of gunzip) yield chunk as Buffer;
  } catch (error) {
    throw new BodyRefusal('unreadable', `the body is not gzip: ${messageOf(error)}`);
  }
}

function tooLarge(verb: string, bytes: number | undefined, max: number): BodyRefusal {
  return new BodyRefusal(
    'too-large',
    `the body ${verb} ${bytes ?? `more than ${max}`} bytes; at most ${max} are taken`,
  );
}
