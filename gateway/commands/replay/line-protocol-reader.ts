import { LineReader } from '../../../devices/decoders/line-reader.ts';
import type { DecodeTarget } from '../../core/message.ts';
import { Quality } from '../../core/quality.ts';
import { KnownSeries } from './known-series.ts';
import type { RecordedReader, RecordedTarget } from './recorded-input.ts';

const NEWLINE = 10;

/** Reads InfluxDB line protocol with times in nanoseconds. */
export class LineProtocolReader implements RecordedReader {
  readonly #path: string;
  readonly #target: RecordedTarget;
  readonly #known: KnownSeries;
  #linesBefore = 0;

  /** @param path to name what is refused by */
  constructor(path: string, target: RecordedTarget) {
    this.#path = path;
    this.#target = target;
    this.#known = new KnownSeries(target);
  }

  take(bytes: Buffer, isLast: boolean): number {
    const end = isLast ? bytes.length : bytes.lastIndexOf(NEWLINE) + 1;
    const reader = new LineReader(bytes.subarray(0, end), 'ns');
    reader.read(this.#decoded, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
    this.#linesBefore += reader.line - 1;
    return end;
  }

  readonly #decoded: DecodeTarget = {
    value: (value, sourceTime, metric, device, tags, quality = Quality.good) => {
      if (sourceTime === undefined || metric === undefined || device === undefined) {
        this.#target.reject(this.#path, 'a recorded line needs a timestamp');
        return;
      }
      const series = this.#known.find(device, metric, tags);
      if (series !== undefined) this.#target.reading(series, value, quality, sourceTime);
    },
    // The decoder counts the lines that it was given.
    reject: (reason) =>
      this.#target.reject(
        this.#path,
        reason.replace(/^line (\d+)/, (_, line) => `line ${this.#linesBefore + Number(line)}`),
      ),
  };
}
