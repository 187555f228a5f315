import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import type { Configuration } from '../../../config/configuration.ts';
import { loadConfiguration } from '../../../config/load.ts';
import { SeriesRegistry } from '../../../gateway/base/series-registry.ts';
import { makeStages } from '../../../gateway/catalog/stages.ts';
import { vocabulary } from '../../../gateway/catalog/vocabulary.ts';
import type { Result } from '../../../gateway/core/result.ts';
import { Deduplicator } from '../../../gateway/pipeline/deduplicate.ts';
import { Analysis } from '../../../gateway/runtime/analysis.ts';
import { FateMemory } from '../../../gateway/runtime/fate-memory.ts';
import { Ledger } from '../../../gateway/runtime/ledger.ts';
import { RecentReadings } from '../../../gateway/runtime/recent-readings.ts';
import { Taps } from '../../../gateway/runtime/taps.ts';

const METRICS = ['a', 'a', 'b', 'b', 'state', 'text'] as const;
/** Wall time at which everything begins. */
export const START = Date.UTC(2026, 5, 1);

/** Something that happens to an analysis: a reading comes, time passes, or the clock is set. */
export interface Step {
  readonly kind: 'reading' | 'time' | 'clock';
  readonly device: number;
  readonly metric: (typeof METRICS)[number];
  readonly value: number;
  readonly quality: 0 | 1 | 2;
  /** Receive time less source time. */
  readonly lag: number;
  /** How much time passes before it. */
  readonly after: number;
  /** By how much the clock is set. */
  readonly byMs: number;
  readonly restart: boolean;
}

const whole = (min: number, max: number) => fc.integer({ min, max });

/** What a reading is made of. */
type Sent = Pick<Step, 'device' | 'metric' | 'value' | 'quality' | 'lag'>;

/** Any of them. */
export const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    { weight: 40, arbitrary: fc.constant('reading' as const) },
    { weight: 2, arbitrary: fc.constant('time' as const) },
    { weight: 1, arbitrary: fc.constant('clock' as const) },
  ),
  device: whole(0, 2),
  metric: fc.constantFrom(...METRICS),
  value: fc.oneof({ weight: 20, arbitrary: whole(0, 12) }, fc.constantFrom(1e308, -1e308, 5e-324)),
  quality: fc.constantFrom(0, 0, 0, 0, 1, 2),
  lag: fc.oneof({ weight: 6, arbitrary: whole(0, 1500) }, whole(0, 20_000)),
  after: fc.oneof({ weight: 12, arbitrary: whole(0, 700) }, whole(0, 40_000)),
  byMs: whole(-80_000, 40_000),
  restart: whole(0, 9).map((n) => n === 0),
});

/** What a file says. */
export function configurationOf(yaml: string): Configuration {
  const loaded = loadConfiguration(yaml, { fileName: '/x.yaml', environment: {}, readFile: () => '', vocabulary });
  if (!('configuration' in loaded)) throw new Error(JSON.stringify(loaded.problems));
  return loaded.configuration;
}

/** Plays steps to several analyses at once, the first of which says when something is due; `before` each of them. */
export function play(
  steps: readonly Step[],
  benches: readonly AnalysisBench[],
  before: (step: Step) => void = () => undefined,
): void {
  let now = START;
  for (const one of steps) {
    now += one.after;
    before(one);
    // What the one that runs has written into the journal, the one that replays it finds there.
    if (one.kind === 'reading') for (const bench of benches) bench.send(one, now);
    else if (one.kind === 'clock') for (const bench of benches) bench.set(now, one.byMs);
    else if (benches[0]?.isDue(now) === true) for (const bench of benches) bench.pass(now);
    if (one.kind === 'clock') now += one.byMs;
  }
}

/** The analysis of a gateway, without its logs and its two ends. */
export class AnalysisBench {
  readonly results: Result[] = [];
  readonly #configuration: Configuration;
  readonly #deduplicator = new Deduplicator(64);
  #registry = new SeriesRegistry(60);
  ledger = new Ledger();
  #analysis: Analysis;

  constructor(configuration: Configuration) {
    this.#configuration = configuration;
    this.#analysis = this.#made();
  }

  /** A process that goes on from what this one has put into its checkpoint. */
  restart(): void {
    const { sources, groups, derived } = throughDisk(this.ledger.snapshot());
    const stages = throughDisk(this.#analysis.snapshot());
    const { receiveTime, setBackMs } = this.#analysis;
    const known = throughDisk(this.#registry.all());
    this.#registry = new SeriesRegistry(60);
    for (const { unit, ...identity } of known) this.#registry.recall(identity, unit);
    this.ledger = new Ledger();
    const { provisional } = this.#analysis;
    this.#analysis = this.#made();
    this.#analysis.restore({ stages, receiveTime, setBackMs });
    this.ledger.restore({ sources, groups, derived });
    this.#analysis.resumeWaiting(provisional);
  }

  /** The watermark of a series, and how far its readings may be out of order. */
  time(key: string): readonly (number | undefined)[] {
    const series = this.#registry.get(key)!;
    const { stages } = this.#analysis;
    return [stages.watermarkOf(series), stages.outOfOrdernessOf(series)];
  }

  isDue(now: number): boolean {
    return this.#analysis.isDue(now);
  }

  pass(time: number): void {
    this.#analysis.tell({ type: 'time-passed', time });
  }

  set(before: number, byMs: number): void {
    const reference = { boot: 'boot', monotonicMs: 0 };
    this.#analysis.tell({ type: 'clock-step', before, time: before + byMs, byMs, ...reference });
  }

  send({ device, metric, value, quality, lag }: Sent, now: number): void {
    const tags: Record<string, string> = device === 2 ? {} : { line: 'x' };
    const series = this.#registry.intern({ device: `d${device}`, metric, tags });
    if (typeof series === 'string') throw new Error(series);
    // One device has no clock.
    const times = device === 2 ? { sourceTime: now, stamped: true } : { sourceTime: now - lag, stamped: false };
    this.ledger.admit(this.ledger.row('floor'), series);
    const reading = {
      series,
      source: 'floor',
      value: metric === 'text' ? (value > 5 ? 'on' : 'off') : value,
      quality,
      receiveTime: now,
    };
    this.#analysis.process([{ ...reading, ...times }]);
  }

  #made(): Analysis {
    const recent = new RecentReadings();
    return new Analysis({
      deduplicator: this.#deduplicator,
      makeStages: () => makeStages(this.#configuration, this.#registry, recent),
      ledger: this.ledger,
      recent,
      watchers: { taps: new Taps([]), fates: new FateMemory() },
      results: (results) => this.results.push(...results),
    });
  }
}

/** Each with its identity; of one moment those of one stage may come before or after those of another. */
export function told(results: readonly Result[]): readonly string[] {
  return results.map((result) => JSON.stringify(result)).sort();
}

function throughDisk<T>(value: T): T {
  return deserialize(serialize(value));
}
