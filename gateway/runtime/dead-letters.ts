import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { MAX_REJECTED_BYTES, type Rejected } from '../core/intake.ts';
import type { Log, LogReader, LogRecord, Offset } from '../core/log.ts';
import { readAtStart } from './read-at-start.ts';

/** Memory that one look at the newest dead letters may take. */
const READ_BYTES = 256 * 1024;

/** Letters of one kind that are kept between two commits, each for itself; of further ones the first, and how many there were. */
const KEPT_OF_A_KIND = 100;
/** Kinds that are told apart between two commits; of the others one source has all in one. */
const MAX_KINDS = 1_000;
/** Bytes of letters that are kept between two commits: beyond, all are only counted. */
const MAX_KEPT_BYTES = 16 * 1024 * 1024;

/** What has the same origin, device and reason. */
interface Kind {
  kept: number;
  /** The first that was not kept for itself. */
  repeated: (Rejected & { times: number }) | undefined;
}

/** Gets why, instead of the letter, where a record cannot be understood. */
type EachLetter = (letter: Rejected | Error, record: LogRecord) => void;
type NextRecords = (reader: LogReader) => Promise<readonly LogRecord[]>;

/** Where the dead letters end. */
export interface DeadLetterEnd {
  /** Of the next dead letter. */
  readonly offset: Offset;
  /** How many readings of sources were refused before it. */
  readonly items: number;
}

/**
 * What was refused, kept with its reason in a bounded log of its own. Its items are the readings that sources refused. A result that a sink
 * refused is none: the ledger of that sink counts it, and so the number of those readings is known even of letters that are gone.
 */
export class DeadLetters {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #kinds = new Map<string, Kind>();
  #keptBytes = 0;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Appends what was only counted so far, and tells where the letters end: a checkpoint remembers it to count what came after. */
  settle(): DeadLetterEnd {
    this.#appendRepeated();
    const { nextOffset, appendedItems } = this.#log.status();
    return { offset: nextOffset, items: appendedItems };
  }

  /** Takes what a sink has refused, or could not be given; durable after `commit`. */
  addResult(sink: string, subject: string, reason: string, payload: Uint8Array): void {
    this.#append({ origin: sink, subject, reason, time: this.#clock.now(), payload }, 0);
  }

  /**
   * Takes what a source has refused; durable after `commit`. `device` is whose reading it is, where that is known. Of what is refused for one
   * reason again and again, only the number is kept.
   */
  addReading(origin: string, subject: string, reason: string, payload: Uint8Array, device?: string): void {
    const name = `${origin}\n${device ?? ''}\n${reason}`;
    const isNew = !this.#kinds.has(name);
    if (isNew && this.#kinds.size >= MAX_KINDS) {
      const letter = {
        origin,
        subject,
        reason: `one of more than ${MAX_KINDS} kinds in one moment: ${reason}`,
        payload,
      };
      this.#count(this.#kindOf(origin), letter);
      return;
    }
    const kind = this.#kindOf(name);
    if (kind.kept >= KEPT_OF_A_KIND || this.#keptBytes >= MAX_KEPT_BYTES) {
      this.#count(kind, { origin, device, subject, reason, payload });
      return;
    }
    kind.kept++;
    this.#keptBytes += this.#append({ origin, device, subject, reason, time: this.#clock.now(), payload }, 1);
  }

  #kindOf(name: string): Kind {
    let kind = this.#kinds.get(name);
    if (kind === undefined) {
      kind = { kept: 0, repeated: undefined };
      this.#kinds.set(name, kind);
    }
    return kind;
  }

  #count(kind: Kind, letter: Omit<Rejected, 'time'>): void {
    if (kind.repeated !== undefined) {
      kind.repeated.times++;
      return;
    }
    const payload = Uint8Array.from(letter.payload.subarray(0, MAX_REJECTED_BYTES));
    kind.repeated = { ...letter, time: this.#clock.now(), payload, times: 1 };
  }

  /** @returns its bytes */
  #append(letter: Rejected, items: number): number {
    const record = encode({ ...letter, payload: letter.payload.subarray(0, MAX_REJECTED_BYTES) });
    this.#log.append(record, items);
    return record.length;
  }

  #appendRepeated(): void {
    if (this.#kinds.size === 0) return;
    for (const kind of this.#kinds.values()) {
      if (kind.repeated !== undefined) this.#log.append(encode(kind.repeated), kind.repeated.times);
      // At once: where the log refuses the next one, this one is not to be appended again.
      kind.repeated = undefined;
    }
    this.#kinds.clear();
    this.#keptBytes = 0;
  }

  commit(): Promise<void> {
    this.#appendRepeated();
    return this.#log.commit();
  }

  /** Does the same, and has them on the medium whatever the log promises. */
  sync(): Promise<void> {
    this.#appendRepeated();
    return this.#log.sync();
  }

  /** The newest ones first, at most `limit`. */
  async newest(limit: number): Promise<readonly Rejected[]> {
    const { firstOffset, durableOffset } = this.#log.status();
    const near = Math.max(firstOffset, durableOffset - limit);
    let found = await this.#allFrom(near);
    // Offsets have gaps: damage, and what the disk refused at a start, whose offsets are not given again.
    if (found.length < limit && near > firstOffset) found = await this.#allFrom(firstOffset);
    return found.slice(-limit).reverse();
  }

  async #allFrom(from: Offset): Promise<Rejected[]> {
    const found: Rejected[] = [];
    await this.#readFrom(
      from,
      (reader) => reader.read(READ_BYTES),
      (letter, record) => found.push(letter instanceof Error ? unreadable(letter, record) : letter),
    );
    return found;
  }

  /** Calls `each` with the dead letters that were added from an offset on, in order; see `readAtStart` for those that the disk refuses. */
  readAtStart(from: Offset, signal: AbortSignal, each: EachLetter): Promise<void> {
    const parts = { log: this.#log, clock: this.#clock, signal };
    return this.#readFrom(from, (reader) => readAtStart(parts, reader, READ_BYTES), each);
  }

  async #readFrom(from: Offset, next: NextRecords, each: EachLetter): Promise<void> {
    const reader = this.#log.reader(from);
    try {
      for (let records = await next(reader); records.length > 0; records = await next(reader)) {
        for (const record of records) each(decodeOrError(record.payload), record);
      }
    } finally {
      await reader.close();
    }
  }
}

/** `headerLength:u32le  header:json  payload`: the payload may be any bytes, so it stays outside the JSON. */
function encode(rejected: Rejected): Uint8Array {
  const { payload, ...header } = rejected;
  const json = Buffer.from(JSON.stringify(header));
  const bytes = Buffer.allocUnsafe(4 + json.length + payload.length);
  bytes.writeUInt32LE(json.length, 0);
  json.copy(bytes, 4);
  bytes.set(payload, 4 + json.length);
  return bytes;
}

/** Stands for a letter that cannot be understood. */
function unreadable(error: Error, { offset, time, payload }: LogRecord): Rejected {
  return { origin: '(dead letters)', subject: `dead letter ${offset}`, reason: error.message, time, payload };
}

function decodeOrError(record: Uint8Array): Rejected | Error {
  try {
    return decodeDeadLetter(record);
  } catch (error) {
    return new Error(`cannot be understood: ${messageOf(error)}`, { cause: error });
  }
}

/** Reads the payload of a dead letter's record back. @throws Error where it is none */
export function decodeDeadLetter(record: Uint8Array): Rejected {
  const bytes = Buffer.from(record.buffer, record.byteOffset, record.byteLength);
  const end = 4 + bytes.readUInt32LE(0);
  const header = JSON.parse(bytes.toString('utf8', 4, end)) as Omit<Rejected, 'payload'> | null;
  if (typeof header?.origin !== 'string') throw new Error('it names no origin');
  return { ...header, payload: new Uint8Array(bytes.subarray(end)) };
}
