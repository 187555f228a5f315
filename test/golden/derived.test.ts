/**
 * Golden cases of what makes readings of readings: `<kind>/<case>/config.json` (what the case shows, and the settings), `input.ndjson` (readings,
 * receive time that passes, steps of the clock) and `expected.ndjson` (for each input line that has an effect worth a look: its fate, and what
 * was derived). Each case is run once whole and once stopped and resumed, series and all, before every line.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { describe, expect, test } from 'vitest';
import { SeriesRegistry } from '../../gateway/base/series-registry.ts';
import { Quality, type QualityName, qualityName } from '../../gateway/core/quality.ts';
import type { Reading, Series, SeriesIdentity, Value } from '../../gateway/core/reading.ts';
import { type Deriver, Fate, type Outlet } from '../../gateway/core/stage.ts';
import type { TableContent } from '../../gateway/core/table.ts';
import { Derivation, type DerivationSettings, type SeriesAccess } from '../../gateway/pipeline/derive/derivation.ts';
import { type TableSettings, Tables } from '../../gateway/pipeline/enrich/tables.ts';
import { Join } from '../../gateway/pipeline/join/join.ts';
import type { JoinSettings } from '../../gateway/pipeline/join/join-definition.ts';

interface Config {
  readonly shows: string;
  readonly derive: DerivationSettings;
  readonly join: JoinSettings;
  readonly tables?: readonly TableSettings[];
}

/** A reading (one without `receive` has no time of its own, `source` is when it was received), receive time reaching `advance`, the clock being set by `step`, or a table that says something else. */
type Line =
  | {
      readonly reading: string;
      readonly tags?: Readonly<Record<string, string>>;
      readonly value: Value;
      readonly source: number;
      readonly receive?: number;
      readonly quality?: QualityName;
    }
  | { readonly advance: number }
  | { readonly step: number }
  | { readonly table: string; readonly content: TableContent };

const KINDS: Readonly<Record<string, (config: Config, access: SeriesAccess) => Deriver>> = {
  derive: ({ derive }, access) => new Derivation(derive, access),
  join: ({ join: settings }, access) => new Join(settings, access),
  enrich: ({ derive, join: settings }, access) =>
    derive === undefined ? new Join(settings, access) : new Derivation(derive, access),
};

const here = import.meta.dirname;

for (const [kind, make] of Object.entries(KINDS)) {
  describe.each(readdirSync(join(here, kind)))(`${kind}/%s`, (name) => {
    const folder = join(here, kind, name);
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Config;
    const input = ndjson(join(folder, 'input.ndjson')) as readonly Line[];
    const expected = ndjson(join(folder, 'expected.ndjson'));

    test(`${config.shows}`, () => {
      expect(run(input, config.tables, (access) => make(config, access), false)).toEqual(expected);
    });

    test('gives the same when it is stopped and resumed before every line', () => {
      expect(run(input, config.tables, (access) => make(config, access), true)).toEqual(expected);
    });
  });
}

function run(
  input: readonly Line[],
  settings: readonly TableSettings[] | undefined,
  make: (access: SeriesAccess) => Deriver,
  resume: boolean,
): unknown[] {
  let registry = new SeriesRegistry();
  let tables = new Tables(settings ?? []);
  let deriver = make(accessTo(registry, tables));
  const output: unknown[] = [];
  let now = 0;
  input.forEach((line, index) => {
    if (resume) {
      const known: readonly SeriesIdentity[] = throughDisk(registry.all());
      registry = new SeriesRegistry();
      for (const identity of known) registry.recall(identity);
      const snapshots = throughDisk([tables.snapshot(), deriver.snapshot()]);
      tables = new Tables(settings ?? []);
      tables.restore(snapshots[0]);
      deriver = make(accessTo(registry, tables));
      deriver.restore(snapshots[1]);
    }
    const derived: unknown[] = [];
    const outlet = recording(derived);
    const reached = timeAfter(line, now);
    if (!('step' in line)) {
      for (let due = deriver.nextDue; due <= reached; due = deriver.nextDue) deriver.advance(due, outlet);
      deriver.advance(reached, outlet);
    }
    now = reached;
    if ('table' in line) tables.replace(line.table, line.content);
    const fate = feed(deriver, line, now, registry, outlet);
    if (derived.length > 0 || (fate !== undefined && fate !== 'aggregated')) {
      output.push({ line: index + 1, ...(fate === undefined ? {} : { fate }), derived });
    }
  });
  return output;
}

function throughDisk<T>(value: T): T {
  return deserialize(serialize(value));
}

function accessTo(registry: SeriesRegistry, tables: Tables): SeriesAccess {
  return {
    find: (key) => registry.get(key),
    derive: (identity, unit) => registry.derive(identity, unit),
    tables,
  };
}

function recording(derived: unknown[]): Outlet {
  return {
    derive: ({ series, value, sourceTime, receiveTime, quality }) => {
      const shown = { series: series.key, value, source: sourceTime, receive: receiveTime };
      derived.push(quality === Quality.good ? shown : { ...shown, quality: qualityName(quality) });
    },
    fail: (reason) => {
      derived.push({ failed: reason });
    },
  };
}

/** The receive time that is reached after a line. */
function timeAfter(line: Line, now: number): number {
  if ('step' in line) return now + line.step;
  if ('table' in line) return now;
  return Math.max(now, 'advance' in line ? line.advance : (line.receive ?? line.source));
}

function feed(deriver: Deriver, line: Line, now: number, registry: SeriesRegistry, outlet: Outlet): string | undefined {
  if ('step' in line) {
    deriver.step(now, line.step, outlet);
    return undefined;
  }
  if ('advance' in line || 'table' in line) return undefined;
  const { reading, tags, value, source, receive = source, quality = 'good' } = line;
  const made: Reading = {
    series: seriesOf(reading, tags, registry),
    source: 'golden',
    value,
    quality: Quality[quality],
    sourceTime: source,
    receiveTime: receive,
    stamped: line.receive === undefined,
  };
  const fate = deriver.process(made, outlet);
  return Object.entries(Fate).find(([, number]) => number === fate)?.[0];
}

function seriesOf(path: string, tags: Readonly<Record<string, string>> = {}, registry: SeriesRegistry): Series {
  const [device, metric] = path.split('/');
  const series = registry.intern({ device: device!, metric: metric!, tags });
  if (typeof series === 'string') throw new Error(series);
  return series;
}

function ndjson(path: string): unknown[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as unknown);
}
