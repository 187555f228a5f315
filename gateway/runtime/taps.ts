import { seriesPattern } from '../base/series-pattern.ts';
import type { TapListener, TapQuery, TapStage } from '../core/inspection.ts';
import type { Reading } from '../core/reading.ts';
import type { Result, ResultSeries } from '../core/result.ts';

/** Stages that every gateway has. */
const COMMON: readonly TapStage[] = [
  {
    name: 'accepted',
    of: 'readings',
    description: 'Readings that are durable and not duplicates, before anything else.',
  },
  {
    name: 'reduction',
    of: 'readings',
    description: 'The same behind the reduction; the outcome says whether each went on.',
  },
  { name: 'fates', of: 'readings', description: 'Every reading with its fate, when all stages have seen it.' },
  { name: 'results', of: 'results', description: 'All results on their way to the sinks.' },
];

interface Tap {
  readonly stage: string;
  readonly matches: (series: ResultSeries) => boolean;
  readonly listener: TapListener;
}

/** Lets people watch what passes at a stage. While nobody does, it costs a look at `isOpen`. */
export class Taps {
  /** Every stage there is. */
  readonly stages: readonly TapStage[];
  /** Whether anybody watches. */
  isOpen = false;
  #isGivenUp = false;
  readonly #taps = new Set<Tap>();

  /** @param named the stages of a configuration, in the order in which readings pass them */
  constructor(named: readonly TapStage[]) {
    this.stages = [...COMMON.slice(0, 2), ...named, ...COMMON.slice(2)];
  }

  /** See `Inspection`. */
  open({ stage, series }: TapQuery, listener: TapListener): (() => void) | undefined {
    if (this.#isGivenUp) return undefined;
    const pattern = series === undefined ? undefined : seriesPattern(series);
    const matches = (one: ResultSeries) => pattern === undefined || one.key === series || pattern(one);
    const tap = { stage, matches, listener };
    this.#taps.add(tap);
    this.isOpen = true;
    return () => this.#close(tap);
  }

  /** Ends all of them and takes no more, or takes them again. */
  set isGivenUp(givenUp: boolean) {
    this.#isGivenUp = givenUp;
    if (!givenUp) return;
    const taps = [...this.#taps];
    for (const tap of taps) this.#close(tap);
    for (const { listener } of taps) listener.end();
  }

  /** A reading passes a stage. */
  reading(stage: string, reading: Reading, outcome?: string): void {
    for (const tap of this.#taps) {
      if (tap.stage === stage && tap.matches(reading.series as ResultSeries)) tap.listener.passed(reading, outcome);
    }
  }

  /** Results leave. */
  results(results: readonly Result[]): void {
    for (const tap of this.#taps) {
      for (const result of results) {
        if (isOf(tap.stage, result) && tap.matches(result.series)) tap.listener.passed(result, undefined);
      }
    }
  }

  #close(tap: Tap): void {
    this.#taps.delete(tap);
    this.isOpen = this.#taps.size > 0;
  }
}

function isOf(stage: string, result: Result): boolean {
  if (stage === 'results') return true;
  if (result.kind === 'alarm') return stage === `detect:${result.detector}`;
  return stage === `window:${result.window}` || stage === `rollup:${result.window}`;
}
