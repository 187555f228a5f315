import type { Explanation, TapStage } from '../../core/inspection.ts';
import { fetchJson } from './fetch-json.ts';

/** A stage that can be watched, and which series to watch there: what a join derives is of another one. */
export interface Watchable {
  readonly stage: string;
  readonly series: string;
}

/** Where a reading of the series on show went, as the gateway explains it. */
export class ReadingPath {
  /** Undefined until it was asked for. */
  explanation: Explanation | undefined;
  /** The series that was asked about last. */
  series: string | undefined;
  #stages: readonly TapStage[] = [];
  #request = 0;

  /** The stages that readings of the series pass, and those of what is derived from them. */
  get watchable(): readonly Watchable[] {
    return this.explanation === undefined ? [] : watchableOf(this.explanation, this.#stages);
  }

  /** Asks where the reading of this source time went. */
  async show(series: string, time: number): Promise<void> {
    const request = ++this.#request;
    this.series = series;
    if (this.#stages.length === 0) this.#stages = (await fetchJson<{ stages: TapStage[] }>('/api/v1/taps')).stages;
    const explanation = await fetchJson<Explanation>('/api/v1/explain', { series, time });
    // Another one may have been asked for meanwhile.
    if (request === this.#request) this.explanation = explanation;
  }
}

/** See `ReadingPath`. */
export function watchableOf(explanation: Explanation, stages: readonly TapStage[]): readonly Watchable[] {
  const { series, consumers, derived } = explanation;
  const own = new Set([
    ...['accepted', 'reduction', 'fates', 'results'],
    ...consumers.windows.flatMap((name) => [`window:${name}`, `rollup:${name}`]),
    ...consumers.detectors.map(({ detector }) => `detect:${detector}`),
  ]);
  return stages.flatMap(({ name: stage }): readonly Watchable[] => {
    if (own.has(stage)) return [{ stage, series }];
    const made = derived.find(({ by }) => by === stage || by.startsWith(`${stage} (`));
    return made === undefined ? [] : [{ stage, series: made.series }];
  });
}
