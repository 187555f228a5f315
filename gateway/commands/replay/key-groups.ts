import type { Configuration } from '../../../config/configuration.ts';
import { SeriesRegistry } from '../../base/series-registry.ts';
import { makeStages } from '../../catalog/stages.ts';
import type { Reading, Series } from '../../core/reading.ts';
import type { Result } from '../../core/result.ts';
import { Analysis, type Deduplicator } from '../../runtime/analysis.ts';
import { FateMemory } from '../../runtime/fate-memory.ts';
import { Ledger, type LedgerRow } from '../../runtime/ledger.ts';
import { RecentReadings } from '../../runtime/recent-readings.ts';
import { Taps } from '../../runtime/taps.ts';
import { type Analysed, addDerived, type Derived, type Fates } from './analyst.ts';
import { Duplicates } from './duplicates.ts';
import { Lines } from './lines.ts';
import { Columns, type NewSeries, type Portion } from './portion.ts';

/** Name of the source of what is replayed. */
const SOURCE = 'replay';
/** Receive time stands still at this moment while a recording is replayed: nobody is idle then, and no time lies ahead of it. */
const VIRTUAL_NOW = 1;
/** The last moment that a date can hold: by then every device is silent and every window has ended. */
const END_OF_TIME = 8.64e15;

/**
 * The analysis of one key group. It shares nothing with those of other groups, so that whatever binds series together, a bound on all of
 * them among it, gives the same results wherever the groups are analysed.
 */
class KeyGroup {
  readonly analysis: Analysis;
  readonly ledger = new Ledger();
  readonly row: LedgerRow = this.ledger.row(SOURCE);
  readonly #registry: SeriesRegistry;

  constructor(configuration: Configuration, deduplicator: Deduplicator, results: (results: readonly Result[]) => void) {
    this.#registry = new SeriesRegistry(configuration.storage.maxSeries);
    const recent = new RecentReadings();
    // Nobody looks at them.
    recent.isGivenUp = true;
    this.analysis = new Analysis({
      watchers: { taps: new Taps([]), fates: new FateMemory() },
      deduplicator,
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
  readonly #lines = new Lines();
  readonly #duplicates: Duplicates;

  constructor(configuration: Configuration) {
    // How many alarms come at once in a replay depends on who replays how much.
    this.#configuration = {
      ...configuration,
      alarms: { ...configuration.alarms, flood: { ...configuration.alarms.flood, above: 0 } },
    };
    this.#duplicates = new Duplicates(configuration.storage.rememberedReadings);
  }

  analyse({ buffer, before, count, texts, newSeries }: Portion): Analysed {
    for (const series of newSeries) {
      const group = this.#group(series.group);
      this.#series.push({ series: group.series(series), group });
    }
    const columns = new Columns(buffer);
    const places: number[] = [];
    const ends: number[] = [];
    let text = 0;
    for (let i = 0; i < count; i++) {
      const number = columns.series(i);
      const place = columns.place(i);
      const { series, group } = this.#series[number]!;
      const linesBefore = this.#lines.length;
      this.#duplicates.expect(number, before + place);
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
      if (this.#lines.length === linesBefore) continue;
      places.push(place);
      ends.push(this.#lines.length);
    }
    return { buffer, lines: this.#lines.take(), places: Uint32Array.from(places), ends: Uint32Array.from(ends) };
  }

  /** The recording is over: every device is silent now, and its windows give their results. */
  finish(group: number): Uint8Array {
    this.#groups[group]?.analysis.advance(END_OF_TIME);
    return this.#lines.take();
  }

  fates(): Fates {
    const sum = { aggregated: 0, filtered: 0, duplicate: 0, late: 0, derived: new Map<string, Derived>() };
    // Groups of other analysts are not there.
    this.#groups.forEach(({ ledger }) => {
      const { aggregated, filtered, duplicate, late } = ledger.total();
      sum.aggregated += aggregated;
      sum.filtered += filtered;
      sum.duplicate += duplicate;
      sum.late += late;
      for (const [name, { received, rejected }] of ledger.derived()) {
        addDerived(sum.derived, name, { readings: received - rejected, uncomputed: rejected });
      }
    });
    return sum;
  }

  #group(number: number): KeyGroup {
    const take = (results: readonly Result[]) => this.#lines.add(results);
    this.#groups[number] ??= new KeyGroup(this.#configuration, this.#duplicates, take);
    return this.#groups[number];
  }
}
