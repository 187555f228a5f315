import type { Series } from '../../core/reading.ts';
import type { RecordedTarget } from './recorded-input.ts';

/** Finds series again by their names alone: checking names and making a key costs more than all the rest of a line. */
export class KnownSeries {
  readonly #target: RecordedTarget;
  /** Those without tags, by device and metric. */
  readonly #byDevice = new Map<string, Map<string, Series>>();

  constructor(target: RecordedTarget) {
    this.#target = target;
  }

  /** The series of these names; undefined where there is none, which is counted as a rejection. */
  find(device: string, metric: string, tags: Readonly<Record<string, string>> | undefined): Series | undefined {
    const known = tags === undefined ? this.#byDevice.get(device)?.get(metric) : undefined;
    return known ?? this.#meet(device, metric, tags);
  }

  #meet(device: string, metric: string, tags: Readonly<Record<string, string>> | undefined): Series | undefined {
    const series = this.#target.series(tags === undefined ? { device, metric } : { device, metric, tags });
    if (typeof series === 'string') {
      this.#target.reject(`${device}/${metric}`, series);
      return undefined;
    }
    if (tags === undefined) {
      const ofDevice = this.#byDevice.get(series.device) ?? new Map<string, Series>();
      this.#byDevice.set(series.device, ofDevice.set(series.metric, series));
    }
    return series;
  }
}
