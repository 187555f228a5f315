import type { Configuration } from '../../../config/configuration.ts';
import { makeConfiguredSinks } from '../../catalog/sinks.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Result } from '../../core/result.ts';
import { count } from '../count.ts';
import { makeLogger } from '../logger.ts';
import type { Surroundings } from '../surroundings.ts';
import { Backfill } from './backfill.ts';

/** Where the results of a replay go. */
export interface Destination {
  /** Takes results as NDJSON. Resolves when there is room for more. */
  write(lines: Uint8Array): Promise<void>;
  /** Everything was given: sees that all of it is written. */
  finish(): Promise<void>;
  /** Gives up what is not written. */
  close(): Promise<void>;
  /** How far it is, to be told beside how much was read. */
  readonly progress: string;
  /** What became of the results, for a person; empty where there is nothing to say. */
  readonly summary: string;
  /** Results that are refused for ever. */
  readonly refused: number;
}

/** Results as lines of JSON, for whoever reads the standard output. */
export class StandardOutput implements Destination {
  readonly progress = '';
  readonly summary = '';
  readonly refused = 0;
  readonly #out: Surroundings['out'];

  constructor({ out }: Surroundings) {
    this.#out = out;
  }

  write(lines: Uint8Array): Promise<void> {
    return this.#out(lines);
  }

  async finish(): Promise<void> {}

  async close(): Promise<void> {}
}

/** Sinks that are filled again. */
export class Backfills implements Destination {
  readonly #backfills: readonly Backfill[];

  constructor(backfills: readonly Backfill[]) {
    this.#backfills = backfills;
  }

  async write(lines: Uint8Array): Promise<void> {
    const results = new TextDecoder()
      .decode(lines)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Result);
    await Promise.all(this.#backfills.map((backfill) => backfill.write(results)));
  }

  async finish(): Promise<void> {
    await Promise.all(this.#backfills.map((backfill) => backfill.finish()));
  }

  async close(): Promise<void> {
    await Promise.all(this.#backfills.map((backfill) => backfill.stop()));
  }

  get progress(): string {
    const stored = this.#sum((backfill) => backfill.stored);
    return `, ${count(stored, 'result')} stored`;
  }

  get summary(): string {
    return this.#backfills.map((backfill) => `${backfill.summary()}\n`).join('');
  }

  get refused(): number {
    return this.#sum(({ refused }) => refused);
  }

  #sum(of: (backfill: Backfill) => number): number {
    return this.#backfills.reduce((sum, backfill) => sum + of(backfill), 0);
  }
}

/**
 * The InfluxDB sinks of a configuration.
 * @throws GatewayError where there is none
 */
export async function backfillsOf(configuration: Configuration, surroundings: Surroundings): Promise<Destination> {
  const { clock, random, err, signal, isTerminal } = surroundings;
  const { logger } = await makeLogger({ level: 'warn', pretty: isTerminal });
  const parts = { clock, random, signal, tell: (line: string) => err(`${line}\n`) };
  const backfills = makeConfiguredSinks(configuration, { clock, logger })
    .filter(({ sink }) => sink.type === 'influxdb')
    .map((fed) => new Backfill(fed, parts));
  if (backfills.length === 0) {
    throw new GatewayError('Cannot write the results: the configuration has no sink of type influxdb', {
      hint: 'add one under sinks, or leave --write away: then the results come on the standard output',
    });
  }
  for (const backfill of backfills) await backfill.start();
  return new Backfills(backfills);
}
