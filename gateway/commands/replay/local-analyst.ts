import type { Configuration } from '../../../config/configuration.ts';
import type { Analysed, Analyst, Fates } from './analyst.ts';
import { KeyGroups } from './key-groups.ts';
import type { Portion } from './portion.ts';

/** Analyses where it is called: with one worker there is nothing to gain from a thread. */
export class LocalAnalyst implements Analyst {
  readonly #groups: KeyGroups;

  constructor(configuration: Configuration) {
    this.#groups = new KeyGroups(configuration);
  }

  async analyse(portion: Portion): Promise<Analysed> {
    return this.#groups.analyse(portion);
  }

  async finish(group: number): Promise<Uint8Array> {
    return this.#groups.finish(group);
  }

  async fates(): Promise<Fates> {
    return this.#groups.fates();
  }

  async end(): Promise<void> {}
}
