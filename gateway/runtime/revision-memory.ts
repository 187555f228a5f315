import type { Aggregate, Result } from '../core/result.ts';

/**
 * Knows the corrections that were delivered before older results, so that an earlier revision of the same window, when its turn
 * comes, is not written over them.
 */
export class RevisionMemory {
  readonly #revisions = new Map<string, number>();
  readonly #max: number;

  /** @param max how many windows to remember, about; each takes some 200 bytes */
  constructor(max = 50_000) {
    this.#max = max;
  }

  /** True when nothing more should be delivered out of order: it could not be remembered. */
  get isFull(): boolean {
    return this.#revisions.size >= this.#max;
  }

  /** A result was delivered out of order. First revisions need no memory: nothing is earlier than they are. */
  add(result: Result): void {
    if (result.kind !== 'aggregate' || result.revision === 0) return;
    const key = windowOf(result);
    this.#revisions.set(key, Math.max(this.#revisions.get(key) ?? 0, result.revision));
  }

  /** True when a later revision of this result was delivered already. */
  supersedes(result: Result): boolean {
    if (this.#revisions.size === 0 || result.kind !== 'aggregate') return false;
    return (this.#revisions.get(windowOf(result)) ?? 0) > result.revision;
  }

  /** Nothing older is waiting any more. */
  clear(): void {
    this.#revisions.clear();
  }
}

function windowOf({ series, window, start }: Aggregate): string {
  return `${series.key}@${window}@${start}`;
}
