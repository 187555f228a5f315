import type { Configuration } from '../../../config/configuration.ts';
import { SeriesRegistry } from '../../base/series-registry.ts';
import { makeStages } from '../../catalog/stages.ts';
import type { Reading, Series } from '../../core/reading.ts';
import type { Result } from '../../core/result.ts';
import { Analysis, type Deduplicator } from '../../runtime/analysis.ts';
import { Ledger, type LedgerRow } from '../../runtime/ledger.ts';
import { RecentReadings } from '../../runtime/recent-readings.ts';
import type { Analysed, Fates } from './analyst.ts';
import { Columns, type NewSeries, type Portion } from './portion.ts';

/** Name of the source of what is replayed. */
const SOURCE = 'replay';
/** Receive time stands still at this moment while a recording is replayed: nobody is idle then, and no time lies ahead of it. */
const VIRTUAL_NOW = 1;
/** The last moment that a date can hold: by then every device is silent and every window has ended. */
const END_OF_TIME = 8.64e15;

/** Duplicates are told before the readings are divided: how far back one is known depends on those of all series. */
const TOLD_BEFORE: Deduplicator = { capacity: 0, remembered: 0, isDuplicate: () => false };

/**
 * The analysis of one key group. It shares nothing with those of other groups, so that whatever binds series together, a bound on all of
 * them among it, gives the same results wherever the groups are analysed.
 */
class KeyGroup {
  readonly analysis: Analysis;
  readonly ledger = new Ledger();
  readonly row: LedgerRow = this.ledger.row(SOURCE);
  readonly #registry = new SeriesRegistry();

  constructor(configuration: Configuration, results: (results: readonly Result[]) => void) {
    const recent = new RecentReadings();
    // Nobody looks at them.
    recent.isGivenUp = true;
    this.analysis = new Analysis({
      deduplicator: TOLD_BEFORE,
      makeStages: () => makeStages(configuration, this.#registry, recent),
      ledger: this.ledger,
      recent,
      results,
    });
  }

  /** How many series there may be was decided before the readings were divided. */
  series({ unit, ...identity }: NewSeries): Series {
    return this.#registry.recall(identity, unit);
  }
}

/** Some of the key groups of a recording. */
export class KeyGroups {
  readonly #configuration: Configuration;
  readonly #groups: KeyGroup[] = [];
  readonly #series: { readonly series: Series; readonly group: KeyGroup }[] = [];
  readonly #one: Reading[] = [];
  #lines: string[] = [];
  #length = 0;
  readonly #takeResults = (results: readonly Result[]) => {
    for (const result of results) {
      const line = `${JSON.stringify(result)}\n`;
      this.#lines.push(line);
      this.#length += line.length;
    }
  };

  constructor(configuration: Configuration) {
    this.#configuration = configuration;
  }

  analyse({ buffer, count, texts, newSeries }: Portion): Analysed {
    for (const series of newSeries) {
      const group = this.#group(series.group);
      this.#series.push({ series: group.series(series), group });
    }
    const columns = new Columns(buffer);
    const places: number[] = [];
    const ends: number[] = [];
    let text = 0;
    for (let i = 0; i < count; i++) {
      const { series, group } = this.#series[columns.series(i)]!;
      const before = this.#length;
      group.ledger.admit(group.row, series);
      this.#one[0] = {
        series,
        source: SOURCE,
        value: columns.isText(i) ? texts[text++]! : columns.value(i),
        quality: columns.quality(i),
        sourceTime: columns.time(i),
        receiveTime: VIRTUAL_NOW,
      };
      group.analysis.process(this.#one);
      if (this.#length === before) continue;
      places.push(columns.place(i));
      ends.push(this.#length);
    }
    return { buffer, lines: this.#takeLines(), places: Uint32Array.from(places), ends: Uint32Array.from(ends) };
  }

  /** The recording is over: every device is silent now, and its windows give their results. */
  finish(group: number): string {
    this.#groups[group]?.analysis.advance(END_OF_TIME);
    return this.#takeLines();
  }

  fates(): Fates {
    const sum = { aggregated: 0, filtered: 0, late: 0 };
    // Groups of other analysts are not there.
    this.#groups.forEach(({ ledger }) => {
      const { aggregated, filtered, late } = ledger.total();
      sum.aggregated += aggregated;
      sum.filtered += filtered;
      sum.late += late;
    });
    return sum;
  }

  #group(number: number): KeyGroup {
    this.#groups[number] ??= new KeyGroup(this.#configuration, this.#takeResults);
    return this.#groups[number];
  }

  #takeLines(): string {
    const lines = this.#lines.join('');
    this.#lines = [];
    this.#length = 0;
    return lines;
  }
}
