import type { Analysed } from './analyst.ts';

/** The results of a round in the order of the readings that gave them, whoever has analysed which. */
export function merge(parts: readonly Analysed[]): Uint8Array {
  const sources = parts.filter(({ places }) => places.length > 0).map((part) => new Source(part));
  const pieces: Uint8Array[] = [];
  while (sources.length > 1) {
    const first = sources.reduce((least, source) => (source.place < least.place ? source : least));
    const next = Math.min(...sources.filter((source) => source !== first).map(({ place }) => place));
    pieces.push(first.takeBefore(next));
    if (first.isEmpty) sources.splice(sources.indexOf(first), 1);
  }
  for (const source of sources) pieces.push(source.takeBefore(Number.POSITIVE_INFINITY));
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

/** What is left of a part. */
class Source {
  readonly #part: Analysed;
  #at = 0;
  #taken = 0;

  constructor(part: Analysed) {
    this.#part = part;
  }

  get isEmpty(): boolean {
    return this.#at === this.#part.places.length;
  }

  /** Of the next result. */
  get place(): number {
    return this.#part.places[this.#at]!;
  }

  takeBefore(place: number): Uint8Array {
    const { lines, places, ends } = this.#part;
    while (this.#at < places.length && places[this.#at]! < place) this.#at++;
    const from = this.#taken;
    this.#taken = ends[this.#at - 1] ?? from;
    return lines.subarray(from, this.#taken);
  }
}
