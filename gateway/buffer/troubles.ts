import type { Logger } from '../core/telemetry.ts';

/** What is wrong just now, a sentence for each activity that fails. Each is logged when it begins and when it is over. */
export class Troubles {
  readonly #logger: Logger;
  readonly #sentences = new Map<string, string>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** `activity` does not work, for the reason the sentence gives. */
  begin(activity: string, sentence: string): void {
    // A sentence that only tells a new number, as of free bytes, is for the status: the log would fill what room there is.
    const isNew = !this.#sentences.has(activity);
    this.#sentences.set(activity, sentence);
    if (isNew) this.#logger.warn({ activity }, sentence);
  }

  /** `activity` works. */
  end(activity: string): void {
    if (this.#sentences.size === 0 || !this.#sentences.delete(activity)) return;
    this.#logger.info({ activity }, `${activity} works again`);
  }

  /** All that is wrong; undefined when all is well. */
  get summary(): string | undefined {
    return this.#sentences.size === 0 ? undefined : [...this.#sentences.values()].join('; ');
  }
}
