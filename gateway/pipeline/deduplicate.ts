import { shortText } from '../base/short-text.ts';
import type { EpochMs } from '../core/clock.ts';
import { GatewayError } from '../core/errors.ts';
import type { Reading, Value } from '../core/reading.ts';

/**
 * Recognises a redelivered reading: same series, source time and value. Bounded memory, 32 to 40 bytes a reading, and about 80 more where its value is a text.
 *
 * Two generations of hash tables with open addressing: a reading is looked up in both and written to the current one; after
 * `capacity` readings the older generation is forgotten and the current one becomes the older. Within what is remembered the
 * answer is exact: keys are compared, not just hashes. A redelivered reading is remembered anew, so what is known depends
 * on the last `remembered` readings alone: replaying just those into a fresh instance gives an equal one.
 */
export class Deduplicator {
  /** At least this many of the last readings, new or not, are remembered; at most twice as many. */
  readonly capacity: number;
  #current: Generation;
  #previous: Generation;
  #position = 0;
  #turned = false;

  /**
   * @param capacity from 1 to 2^22
   * @throws GatewayError for another capacity
   */
  constructor(capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1 || capacity > 2 ** 22) {
      throw new GatewayError(`Cannot remember ${capacity} readings to find duplicates`, {
        hint: 'The capacity is a whole number from 1 to 4194304.',
      });
    }
    this.capacity = capacity;
    this.#current = new Generation(capacity);
    this.#previous = new Generation(capacity);
  }

  /** How many of the last readings make up what is remembered: replay exactly so many to get an equal instance. */
  get remembered(): number {
    return this.#turned ? this.capacity + this.#position : this.#position;
  }

  /** Whether the reading was seen within what is remembered; remembers it. */
  isDuplicate({ series, value, sourceTime }: Reading): boolean {
    return this.isKnown(series.id, value, sourceTime);
  }

  /** The same for a reading of a series of that number. */
  isKnown(series: number, value: Value, sourceTime: EpochMs): boolean {
    if (typeof value === 'number') return this.#seen(series * 4 + NUMBER, sourceTime, value, undefined);
    if (typeof value === 'boolean') return this.#seen(series * 4 + BOOLEAN, sourceTime, value ? 1 : 0, undefined);
    const text = shortText(value);
    return this.#seen(series * 4 + TEXT, sourceTime, hashText(text), text);
  }

  /** So many readings went to another instance: what they would have made it forget is forgotten. */
  skip(readings: number): void {
    for (let left = readings; left > 0; ) {
      if (this.#position === this.capacity) this.#turn();
      const step = Math.min(left, this.capacity - this.#position);
      this.#position += step;
      left -= step;
    }
  }

  #seen(key: number, time: number, value: number, text: string | undefined): boolean {
    if (this.#position === this.capacity) this.#turn();
    this.#position++;
    const hash = hashKey(key, time, value);
    const duplicate = this.#previous.has(hash, key, time, value, text);
    return this.#current.add(hash, key, time, value, text) || duplicate;
  }

  #turn(): void {
    const forgotten = this.#previous;
    forgotten.clear();
    this.#previous = this.#current;
    this.#current = forgotten;
    this.#position = 0;
    this.#turned = true;
  }
}

const NUMBER = 1;
const BOOLEAN = 2;
const TEXT = 3;

/**
 * One generation: entries in order of arrival, and a table that finds them. A cell of the table is 0 when free, or holds an
 * entry's number in its low bits and part of the hash in the others, so that entries of another hash are seldom touched.
 */
class Generation {
  readonly #cells: Uint32Array;
  readonly #mask: number;
  readonly #indexMask: number;
  readonly #keys: Float64Array;
  readonly #times: Float64Array;
  readonly #values: Float64Array;
  /** By entry, only for those with a text. */
  #texts: (string | undefined)[] = [];
  #size = 0;

  constructor(capacity: number) {
    const cells = 2 ** Math.ceil(Math.log2(capacity * 2));
    this.#cells = new Uint32Array(cells);
    this.#mask = cells - 1;
    // Entries are numbered from 1: a used cell is never 0.
    this.#indexMask = 2 ** Math.ceil(Math.log2(capacity + 1)) - 1;
    this.#keys = new Float64Array(capacity + 1);
    this.#times = new Float64Array(capacity + 1);
    this.#values = new Float64Array(capacity + 1);
  }

  has(hash: number, key: number, time: number, value: number, text: string | undefined): boolean {
    return this.#cells[this.#find(hash, key, time, value, text)] !== 0;
  }

  /** True when it was there already. */
  add(hash: number, key: number, time: number, value: number, text: string | undefined): boolean {
    const at = this.#find(hash, key, time, value, text);
    if (this.#cells[at] !== 0) return true;
    const entry = ++this.#size;
    this.#keys[entry] = key;
    this.#times[entry] = time;
    this.#values[entry] = value;
    if (text !== undefined) this.#texts[entry] = text;
    this.#cells[at] = (hash & ~this.#indexMask) | entry;
    return false;
  }

  clear(): void {
    this.#cells.fill(0);
    this.#texts = [];
    this.#size = 0;
  }

  /** The cell of the entry, or the free one where it belongs. At most half of the cells are used, so there is one. */
  #find(hash: number, key: number, time: number, value: number, text: string | undefined): number {
    const cells = this.#cells;
    const mask = this.#mask;
    const indexMask = this.#indexMask;
    // The table is addressed by other bits than the cell keeps.
    let at = Math.imul(hash, 0x9e3779b1) >>> 7;
    for (;;) {
      at &= mask;
      const cell = cells[at]!;
      if (cell === 0) return at;
      if (((cell ^ hash) & ~indexMask) === 0) {
        const entry = cell & indexMask;
        if (
          this.#times[entry] === time &&
          this.#values[entry] === value &&
          this.#keys[entry] === key &&
          (text === undefined || this.#texts[entry] === text)
        ) {
          return at;
        }
      }
      at++;
    }
  }
}

const doubles = new Float64Array(2);
const words = new Uint32Array(doubles.buffer);

/** Mixes the bits of all three as MurmurHash3 does (A. Appleby, public domain). */
function hashKey(key: number, time: number, value: number): number {
  doubles[0] = time;
  doubles[1] = value;
  let hash = mix(key | 0, words[0]!);
  hash = mix(hash, words[1]!);
  hash = mix(hash, words[2]!);
  hash = mix(hash, words[3]!);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function mix(hash: number, word: number): number {
  const scrambled = Math.imul(word, 0xcc9e2d51);
  const mixed = hash ^ Math.imul((scrambled << 15) | (scrambled >>> 17), 0x1b873593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

/** FNV-1a over the code units. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}
