/**
 * Golden cases: `<kind>/<case>/config.json` (what the case shows, and the settings), `input.ndjson` (readings, receive time that passes,
 * steps of the clock) and `expected.ndjson` (for each input line that has an effect worth a look: its fate, and what came of it).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { SeriesRegistry } from '../../gateway/base/series-registry.ts';
import { Quality, type QualityName } from '../../gateway/core/quality.ts';
import type { Reading, Value } from '../../gateway/core/reading.ts';
import { type Fate, fateName } from '../../gateway/core/stage.ts';

/** A reading; one without `receive` has no time of its own, `source` is when it was received. */
export interface ReadingLine {
  readonly reading: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly value: Value;
  readonly source: number;
  readonly receive?: number;
  readonly quality?: QualityName;
}

/** A reading, the receive time reaching `advance`, or the clock being set by `step`. */
export type Line = ReadingLine | { readonly advance: number } | { readonly step: number };

/** Runs the cases of one kind: each once whole, and once stopped and resumed before every line. `run` gives what is expected. */
export function describeCases<C extends { readonly shows: string }, L>(
  kind: string,
  run: (config: C, input: readonly L[], resume: boolean) => unknown[],
): void {
  const here = join(import.meta.dirname, kind);
  describe.each(readdirSync(here))(`${kind}/%s`, (name) => {
    const config = JSON.parse(readFileSync(join(here, name, 'config.json'), 'utf8')) as C;
    const input = ndjson(join(here, name, 'input.ndjson')) as readonly L[];
    const expected = ndjson(join(here, name, 'expected.ndjson'));

    test(`${config.shows}`, () => {
      expect(run(config, input, false)).toEqual(expected);
    });

    test('gives the same when it is stopped and resumed before every line', () => {
      expect(run(config, input, true)).toEqual(expected);
    });
  });
}

/** The receive time that is reached after a line. */
export function timeAfter(line: Line, now: number): number {
  if ('step' in line) return now + line.step;
  return Math.max(now, 'advance' in line ? line.advance : (line.receive ?? line.source));
}

/** The reading that a line tells of. */
export function readingOf(line: ReadingLine, registry: SeriesRegistry): Reading {
  const { reading, tags = {}, value, source, receive = source, quality = 'good' } = line;
  const [device, metric] = reading.split('/');
  const series = registry.intern({ device: device!, metric: metric!, tags });
  if (typeof series === 'string') throw new Error(series);
  return {
    series,
    source: 'golden',
    value,
    quality: Quality[quality],
    sourceTime: source,
    receiveTime: receive,
    stamped: line.receive === undefined,
  };
}

/** What is worth a look after a line, as it stands in `expected.ndjson`; nothing where it had no effect. */
export function effectOf(at: number, fate: Fate | undefined, effects: Readonly<Record<string, unknown[]>>): unknown[] {
  const name = fate === undefined ? undefined : fateName(fate);
  const isQuiet = Object.values(effects).every(({ length }) => length === 0);
  if (isQuiet && (name === undefined || name === 'aggregated')) return [];
  return [{ line: at + 1, ...(name === undefined ? {} : { fate: name }), ...effects }];
}

function ndjson(path: string): unknown[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as unknown);
}
