import { resolve } from 'node:path';
import { Command } from 'commander';
import type { Configuration } from '../../config/configuration.ts';
import { SeriesRegistry } from '../base/series-registry.ts';
import { makeNormaliser, makeStages } from '../catalog/stages.ts';
import type { EpochMs } from '../core/clock.ts';
import type { Quality } from '../core/quality.ts';
import { deviceKey, type Reading, type SeriesIdentity, type Value } from '../core/reading.ts';
import type { Result } from '../core/result.ts';
import { Deduplicator } from '../pipeline/deduplicate.ts';
import { Analysis } from '../runtime/analysis.ts';
import { Ledger } from '../runtime/ledger.ts';
import { RecentReadings } from '../runtime/recent-readings.ts';
import { loadFile } from './configuration-file.ts';
import { Progress } from './progress.ts';
import { type RecordedTarget, readRecorded } from './recorded-input.ts';
import type { Surroundings } from './surroundings.ts';

/** Name of the source in the ledger of a replay. */
const SOURCE = 'replay';
/** Rejections that are named one by one; of the others only the number is told. */
const MAX_NAMED_REJECTIONS = 10;
/** Receive time stands still at this moment while a recording is replayed: nobody is idle then, and no time lies ahead of it. */
const VIRTUAL_NOW = 1;
/** The last moment that a date can hold: by then every device is silent and every window has ended. */
const END_OF_TIME = 8.64e15;

/** `headgate replay`: recorded input through the same pipeline, results as NDJSON on the standard output. */
export function replayCommand(surroundings: Surroundings): Command {
  return new Command('replay')
    .description(
      'put recorded input (CSV, line protocol, NDJSON) through the pipeline; results as NDJSON on the standard output',
    )
    .requiredOption('-c, --config <file>', 'the configuration whose windows and detection are used')
    .argument('<input...>', 'files ending in .csv, .ndjson, .jsonl, .lp or .line')
    .action(async (inputs: string[], options: { config: string }) => {
      const { configuration } = await loadFile(options.config, surroundings);
      const replay = new Replay(configuration);
      const progress = new Progress(surroundings);
      for (const input of inputs) {
        for await (const _portion of readRecorded(resolve(surroundings.workingFolder, input), replay)) {
          await surroundings.out(replay.takeOutput());
          progress.show(() => `${replay.ledger.total().received} readings from ${input}`);
          if (surroundings.signal.aborted) return;
        }
      }
      replay.finish();
      await surroundings.out(replay.takeOutput());
      progress.done();
      surroundings.err(`${replay.summary()}\n`);
    });
}

/** One pass of recorded readings through normalise, windows and detection. */
class Replay implements RecordedTarget {
  readonly ledger = new Ledger();
  readonly #registry: SeriesRegistry;
  readonly #normaliser: ReturnType<typeof makeNormaliser>;
  readonly #analysis: Analysis;
  readonly #rejections: string[] = [];
  #readings: Reading[] = [];
  #output: Result[] = [];

  constructor(configuration: Configuration) {
    const recent = new RecentReadings();
    this.#registry = new SeriesRegistry(configuration.storage.maxSeries);
    this.#normaliser = makeNormaliser(configuration);
    this.#analysis = new Analysis({
      deduplicator: new Deduplicator(configuration.storage.rememberedReadings),
      makeStages: () => makeStages(configuration, this.#registry, recent),
      ledger: this.ledger,
      recent,
      results: (results) => this.#output.push(...results),
    });
  }

  reading(identity: SeriesIdentity, value: Value, quality: Quality, sourceTime: EpochMs): void {
    const series = this.#registry.intern(identity);
    const problem =
      typeof series === 'string' ? series : this.#normaliser.normalise(series, value, quality, sourceTime, undefined);
    if (problem !== undefined || typeof series === 'string') {
      this.reject(`${identity.device}/${identity.metric}`, problem ?? '', deviceKey(identity));
      return;
    }
    this.ledger.admit(this.ledger.row(SOURCE), series);
    const scaled = this.#normaliser.value;
    this.#readings.push({ series, source: SOURCE, value: scaled, quality, sourceTime, receiveTime: VIRTUAL_NOW });
  }

  reject(subject: string, reason: string, device?: string): void {
    this.ledger.reject(this.ledger.row(SOURCE), device);
    if (this.#rejections.length < MAX_NAMED_REJECTIONS) this.#rejections.push(`${subject}: ${reason}`);
  }

  /** The results so far, a line each. */
  takeOutput(): string {
    this.#analysis.process(this.#readings);
    this.#readings = [];
    const lines = this.#output.map((result) => `${JSON.stringify(result)}\n`);
    this.#output = [];
    return lines.join('');
  }

  /** The recording is over: every device is silent now, and its windows give their results. */
  finish(): void {
    this.#analysis.process(this.#readings);
    this.#readings = [];
    this.#analysis.advance(END_OF_TIME);
  }

  summary(): string {
    const { received, aggregated, filtered, duplicate, late, rejected } = this.ledger.total();
    const counts = `${received} readings: ${aggregated} aggregated, ${filtered} filtered, ${duplicate} duplicate, ${late} late, ${rejected} rejected`;
    const unnamed = rejected - this.#rejections.length;
    return [counts, ...this.#rejections, ...(unnamed > 0 ? [`and ${unnamed} more`] : [])].join('\n');
  }
}
