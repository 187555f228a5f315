import { GatewayError } from '../../core/errors.ts';

/** 1 once what was seen of the last onset is fine. */
const ACCEPTED = 0;
const FEATURES = 1;
// Places of the four numbers of a feature.
const SEEN_LOW = 0;
const SEEN_HIGH = 1;
const TAUGHT_LOW = 2;
const TAUGHT_HIGH = 3;
const NUMBERS = 4;

/**
 * What a person may teach a detector of some features, and has: how far each was seen to go since the last onset of an anomaly, and how far is
 * normal by their word, which is never forgotten. What an onset leads to while it lasts goes with it: features look back. Made at the first onset:
 * most series never have one.
 */
export class Teaching {
  readonly #numbers: Float64Array;

  constructor(features: number) {
    this.#numbers = new Float64Array(FEATURES + features * NUMBERS);
    for (let at = FEATURES; at < this.#numbers.length; at += NUMBERS) {
      this.#numbers[at + TAUGHT_LOW] = Number.POSITIVE_INFINITY;
      this.#numbers[at + TAUGHT_HIGH] = Number.NEGATIVE_INFINITY;
    }
    this.begin();
  }

  /** Whether the last onset was fine. */
  get isAccepted(): boolean {
    return this.#numbers[ACCEPTED] === 1;
  }

  /** An anomaly has begun: what was seen of the one before is not to be taught any more. */
  begin(): void {
    this.#numbers[ACCEPTED] = 0;
    for (let at = FEATURES; at < this.#numbers.length; at += NUMBERS) {
      this.#numbers[at + SEEN_LOW] = Number.POSITIVE_INFINITY;
      this.#numbers[at + SEEN_HIGH] = Number.NEGATIVE_INFINITY;
    }
  }

  /** While it lasts the features are these; NaN where one was not judged. */
  see(features: Readonly<Float64Array>): void {
    for (let i = 0, at = FEATURES; at < this.#numbers.length; i++, at += NUMBERS) {
      const value = features[i]!;
      if (value < this.#numbers[at + SEEN_LOW]!) this.#numbers[at + SEEN_LOW] = value;
      if (value > this.#numbers[at + SEEN_HIGH]!) this.#numbers[at + SEEN_HIGH] = value;
    }
    if (this.isAccepted) this.accept();
  }

  /** All of that is normal. */
  accept(): void {
    this.#numbers[ACCEPTED] = 1;
    for (let at = FEATURES; at < this.#numbers.length; at += NUMBERS) {
      this.#numbers[at + TAUGHT_LOW] = Math.min(this.#numbers[at + TAUGHT_LOW]!, this.#numbers[at + SEEN_LOW]!);
      this.#numbers[at + TAUGHT_HIGH] = Math.max(this.#numbers[at + TAUGHT_HIGH]!, this.#numbers[at + SEEN_HIGH]!);
    }
  }

  /** The lowest value of a feature that is normal by the word of a person; +∞ where nobody has said so. */
  lowest(feature: number): number {
    return this.#numbers[FEATURES + feature * NUMBERS + TAUGHT_LOW]!;
  }

  /** The highest; −∞ where nobody has said so. */
  highest(feature: number): number {
    return this.#numbers[FEATURES + feature * NUMBERS + TAUGHT_HIGH]!;
  }

  /** A copy, as bytes. */
  snapshot(): Uint8Array {
    return new Uint8Array(this.#numbers.buffer).slice();
  }

  /** @param bytes a copy, of as many features */
  static restored(features: number, bytes: Uint8Array): Teaching {
    const teaching = new Teaching(features);
    new Uint8Array(teaching.#numbers.buffer).set(bytes);
    return teaching;
  }
}

/** A copy of a block of memory, with what was taught behind it: the snapshot of a detector. */
export function withTeaching(block: Uint8Array, teaching: Teaching | undefined): Uint8Array {
  return teaching === undefined ? block.slice() : Buffer.concat([block, teaching.snapshot()]);
}

/**
 * Puts such a copy back into the block; throws a `GatewayError` where it is of another size.
 *
 * @param detector its name, for the error
 * @returns what was taught; undefined where there was no onset yet
 */
export function restoreWithTeaching(
  detector: string,
  block: Uint8Array,
  features: number,
  snapshot: unknown,
): Teaching | undefined {
  const sizes = [block.length, block.length + teachingBytes(features)];
  if (!(snapshot instanceof Uint8Array) || !sizes.includes(snapshot.length)) {
    const got = snapshot instanceof Uint8Array ? `${snapshot.length} bytes` : typeof snapshot;
    throw new GatewayError(
      `Cannot restore the ${detector} detector: its snapshot is ${got}, not ${sizes.join(' or ')} bytes`,
      {
        hint: 'it was written by another version, by another detector, or with another window; let it learn anew',
      },
    );
  }
  block.set(snapshot.subarray(0, block.length));
  const taught = snapshot.subarray(block.length);
  return taught.length === 0 ? undefined : Teaching.restored(features, taught);
}

function teachingBytes(features: number): number {
  return (FEATURES + features * NUMBERS) * Float64Array.BYTES_PER_ELEMENT;
}
