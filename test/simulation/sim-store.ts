import { type Result, resultId } from '../../gateway/core/result.ts';
import { type Rejection, type Sink, SinkError } from '../../gateway/core/sink.ts';
import type { SimTime } from './sim-time.ts';
import type { Trace } from './trace.ts';

/** What ails a sink. */
export type SinkTrouble =
  | 'refuses'
  | 'hangs'
  | 'crawls'
  | 'loses the answer'
  | 'stores a part'
  | 'asks to wait'
  | 'wants other credentials';

/** How long the gateway waits for an answer. */
const TIMEOUT_MS = 5_000;

/**
 * A database far away: what it stores outlives the gateway, a result that comes again replaces itself, and poisonous ones are refused for
 * ever.
 */
export class SimStore {
  readonly #time: SimTime;
  readonly #random: () => number;
  readonly #trace: Trace;
  readonly #isPoison: (key: string) => boolean;
  /** What is stored: of each window what came last, of each alarm every step. */
  readonly stored = new Map<string, Result>();
  /** The greatest revision of each window that was ever stored. */
  readonly newest = new Map<string, Result>();
  /** What was refused for ever. */
  readonly refused = new Set<string>();
  #trouble: SinkTrouble | undefined;
  #troubledUntilMs = 0;

  /** @param isPoison whether it refuses the result of a key, for ever */
  constructor(isPoison: (key: string) => boolean, parts: { time: SimTime; random: () => number; trace: Trace }) {
    this.#isPoison = isPoison;
    this.#time = parts.time;
    this.#random = parts.random;
    this.#trace = parts.trace;
  }

  /** From now on, for so long, it does not work as it should. */
  ail(trouble: SinkTrouble, ms: number): void {
    this.#trouble = trouble;
    this.#troubledUntilMs = this.#time.nowMs + ms;
  }

  isPoisonKey(key: string): boolean {
    return this.#isPoison(key);
  }

  recover(): void {
    this.#troubledUntilMs = 0;
  }

  /** The sink of one life of the gateway: a dead one sends nothing more, and hears no answer. */
  sink(name: string, isDead: () => boolean): Sink {
    return {
      name,
      type: 'simulated',
      start: () => Promise.resolve(),
      stop: () => Promise.resolve(),
      write: async (batch, signal) => {
        if (isDead()) return await never();
        try {
          return await this.#write(batch, signal);
        } finally {
          if (isDead()) await never();
        }
      },
    };
  }

  async #write(batch: readonly Result[], signal: AbortSignal): Promise<readonly Rejection[]> {
    const trouble = this.#time.nowMs < this.#troubledUntilMs ? this.#trouble : undefined;
    this.#trace.add(`${batch.length} results, ${trouble ?? 'well'}`);
    switch (trouble) {
      case 'refuses':
        throw new SinkError('connection refused', { kind: 'transient' });
      case 'wants other credentials':
        await this.#answerAfter(10, signal);
        throw new SinkError('401: unauthorized', { kind: 'configuration' });
      case 'asks to wait':
        await this.#answerAfter(10, signal);
        throw new SinkError('429: too many requests', { kind: 'transient', retryAfterMs: 2_000 });
      case 'hangs':
        await this.#answerAfter(TIMEOUT_MS, signal);
        throw new SinkError('no answer in time', { kind: 'transient' });
      case 'loses the answer':
        this.#store(batch);
        await this.#answerAfter(this.#random() * TIMEOUT_MS, signal);
        throw new SinkError('connection lost', { kind: 'transient' });
      case 'stores a part':
        this.#store(batch.slice(0, Math.floor(this.#random() * batch.length)));
        throw new SinkError('500: internal error', { kind: 'transient' });
      default:
        return await this.#storeAndAnswer(batch, this.#random() * (trouble === 'crawls' ? TIMEOUT_MS : 50), signal);
    }
  }

  /** Stored at once: who is stopped meanwhile does not know it. */
  async #storeAndAnswer(batch: readonly Result[], ms: number, signal: AbortSignal): Promise<readonly Rejection[]> {
    const rejections = this.#store(batch);
    await this.#answerAfter(ms, signal);
    return rejections;
  }

  #store(batch: readonly Result[]): readonly Rejection[] {
    const rejections: Rejection[] = [];
    for (const result of batch) {
      const key = keyOf(result);
      if (this.#isPoison(key)) {
        this.refused.add(key);
        rejections.push({ result, reason: 'partial write: field type conflict' });
        continue;
      }
      this.stored.set(key, result);
      if (result.kind === 'alarm') continue;
      const before = this.newest.get(key);
      if (before?.kind !== 'aggregate' || before.revision <= result.revision) this.newest.set(key, result);
    }
    return rejections;
  }

  async #answerAfter(ms: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = () => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.#time.after(ms, done);
      signal.addEventListener('abort', done, { once: true });
    });
    if (signal.aborted) throw new SinkError('aborted', { kind: 'transient' });
  }
}

/** One of its own each time: a promise keeps everybody who waits for it in memory. */
function never(): Promise<never> {
  return new Promise(() => undefined);
}

/** What a store knows a result by: a window is the same whatever its revision. */
export function keyOf(result: Result): string {
  return result.kind === 'alarm' ? resultId(result) : `${result.series.key}@${result.window}@${result.start}`;
}
