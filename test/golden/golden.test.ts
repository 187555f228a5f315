/**
 * Golden cases: `<stage>/<case>/config.json` (the options of the stage and what the case shows), `input.ndjson` (readings,
 * calls to `advance` and steps of the clock) and `expected.ndjson` (for each input line that has an effect worth a look: its fate and its results).
 * Each case is run once whole and once stopped and resumed from a snapshot before every line.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { describe, expect, test } from 'vitest';
import { SeriesRegistry } from '../../gateway/base/series-registry.ts';
import { Quality, type QualityName } from '../../gateway/core/quality.ts';
import type { Reading, Series, Value } from '../../gateway/core/reading.ts';
import type { Result } from '../../gateway/core/result.ts';
import { Fate, type Stage } from '../../gateway/core/stage.ts';
import type { OrderedSettings } from '../../gateway/pipeline/windows/ordered-definition.ts';
import { OrderedWindowStage } from '../../gateway/pipeline/windows/ordered-window-stage.ts';
import type { RollupSettings } from '../../gateway/pipeline/windows/rollup-settings.ts';
import type { WindowSettings } from '../../gateway/pipeline/windows/window-definition.ts';
import { WindowStage } from '../../gateway/pipeline/windows/window-stage.ts';

interface Config {
  readonly shows: string;
  readonly windows: readonly (WindowSettings & OrderedSettings)[];
  readonly rollups?: readonly RollupSettings[];
  readonly time: { readonly outOfOrdernessMs: number; readonly idleTimeoutMs: number };
}

/** A reading (one without `receive` has no time of its own, `source` is when it was received), the receive time reaching `advance`, or the clock being set by `step`. */
type Line =
  | {
      readonly reading: string;
      readonly value: Value;
      readonly source: number;
      readonly receive?: number;
      readonly quality?: QualityName;
    }
  | { readonly advance: number }
  | { readonly step: number };

const STAGES: Readonly<Record<string, (config: Config, registry: SeriesRegistry) => Stage>> = {
  windows: ({ windows, rollups = [], time }, registry) =>
    new WindowStage({ windows, rollups, time, findSeries: (key) => registry.get(key) }),
  'ordered-windows': ({ windows, time }, registry) =>
    new OrderedWindowStage({ windows, time, findSeries: (key) => registry.get(key) }),
};

const here = import.meta.dirname;

for (const [stage, make] of Object.entries(STAGES)) {
  describe.each(readdirSync(join(here, stage)))(`${stage}/%s`, (name) => {
    const folder = join(here, stage, name);
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Config;
    const input = ndjson(join(folder, 'input.ndjson')) as readonly Line[];
    const expected = ndjson(join(folder, 'expected.ndjson'));

    test(`${config.shows}`, () => {
      expect(run(input, (registry) => make(config, registry), false)).toEqual(expected);
    });

    test('gives the same when it is stopped and resumed before every line', () => {
      expect(run(input, (registry) => make(config, registry), true)).toEqual(expected);
    });
  });
}

function run(input: readonly Line[], make: (registry: SeriesRegistry) => Stage, resume: boolean): unknown[] {
  const registry = new SeriesRegistry();
  let stage = make(registry);
  const output: unknown[] = [];
  let now = 0;
  input.forEach((line, index) => {
    if (resume) {
      const snapshot = deserialize(serialize(stage.snapshot()));
      stage = make(registry);
      stage.restore(snapshot);
    }
    const results: unknown[] = [];
    const emit = (result: Result) => results.push(shown(result));
    now = timeAfter(line, now);
    const fate = feed(stage, line, now, registry, emit);
    if (results.length > 0 || (fate !== undefined && fate !== 'aggregated')) {
      output.push({ line: index + 1, ...(fate === undefined ? {} : { fate }), results });
    }
  });
  return output;
}

/** The receive time that the stage has reached after a line. */
function timeAfter(line: Line, now: number): number {
  if ('step' in line) return now + line.step;
  return Math.max(now, 'advance' in line ? line.advance : (line.receive ?? line.source));
}

function feed(
  stage: Stage,
  line: Line,
  now: number,
  registry: SeriesRegistry,
  emit: (result: Result) => void,
): string | undefined {
  if ('step' in line) {
    stage.step(now, line.step, emit);
    return undefined;
  }
  if ('advance' in line) {
    stage.advance(line.advance, emit);
    return undefined;
  }
  const { reading, value, source, receive = source, quality = 'good' } = line;
  const made: Reading = {
    series: seriesOf(reading, registry),
    source: 'golden',
    value,
    quality: Quality[quality],
    sourceTime: source,
    receiveTime: receive,
    stamped: line.receive === undefined,
  };
  const fate = stage.process(made, emit);
  return Object.entries(Fate).find(([, number]) => number === fate)?.[0];
}

function seriesOf(path: string, registry: SeriesRegistry): Series {
  const [device, metric] = path.split('/');
  const series = registry.intern({ device: device!, metric: metric! });
  if (typeof series === 'string') throw new Error(series);
  return series;
}

function shown(result: Result): unknown {
  if (result.kind !== 'aggregate') return result;
  const { series, window, start, end, revision, fields, good } = result;
  return { series: series.key, window, start, end, revision, fields, good };
}

function ndjson(path: string): unknown[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as unknown);
}
