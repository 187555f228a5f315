import type { Configuration } from '../../../config/configuration.ts';
import { messageOf } from '../../core/errors.ts';
import type { Analysed, Analyst, Fates } from './analyst.ts';
import { KeyGroups } from './key-groups.ts';
import type { Portion } from './portion.ts';

/** Analyses where it is called: with one worker there is nothing to gain from a thread. */
export class LocalAnalyst implements Analyst {
  readonly #groups: KeyGroups;
  #failure: Error | undefined;

  constructor(configuration: Configuration) {
    this.#groups = new KeyGroups(configuration);
  }

  analyse(portion: Portion): Promise<Analysed | Error> {
    return this.#attempt(() => this.#groups.analyse(portion));
  }

  finish(group: number): Promise<Uint8Array | Error> {
    return this.#attempt(() => this.#groups.finish(group));
  }

  fates(): Promise<Fates | Error> {
    return this.#attempt(() => this.#groups.fates());
  }

  async end(): Promise<void> {}

  async #attempt<T>(work: () => T): Promise<T | Error> {
    if (this.#failure !== undefined) return this.#failure;
    try {
      return work();
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(messageOf(error));
      return this.#failure;
    }
  }
}
