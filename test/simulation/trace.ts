import { crc32 } from 'node:zlib';

/** Follows everything that happens in a simulated world: two runs were alike when their traces end alike. */
export class Trace {
  #checksum = 0;
  #length = 0;
  /** Told of each event. */
  readonly listeners: ((event: string) => void)[] = [];

  add(event: string): void {
    this.#checksum = crc32(event, this.#checksum);
    this.#length++;
    for (const listener of this.listeners) listener(event);
  }

  /** The number of events and the checksum of all of them. */
  get end(): string {
    return `${this.#length} events, ${this.#checksum.toString(16)}`;
  }
}
