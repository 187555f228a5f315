/**
 * What a source notes about its peers and finds again after a restart: a number under the name of a peer and an id, both as the source
 * likes. There is room for many, not for any number: where it ends, those of the peer that has had some for longest go.
 */
export interface Marks {
  get(peer: string, id: number): number | undefined;
  /** @param value a whole number below 2^32 */
  set(peer: string, id: number, value: number): void;
  /** False when there was none. */
  delete(peer: string, id: number): boolean;
  /** Deletes all of a peer. False when there were none. */
  clear(peer: string): boolean;
}
