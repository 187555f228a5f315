import { SeriesRegistry } from '../../gateway/base/series-registry.ts';
import { Quality, qualityName } from '../../gateway/core/quality.ts';
import type { SeriesIdentity } from '../../gateway/core/reading.ts';
import type { Deriver, Fate, Outlet } from '../../gateway/core/stage.ts';
import type { TableContent } from '../../gateway/core/table.ts';
import { Derivation, type DerivationSettings, type SeriesAccess } from '../../gateway/pipeline/derive/derivation.ts';
import { type TableSettings, Tables } from '../../gateway/pipeline/enrich/tables.ts';
import { Join } from '../../gateway/pipeline/join/join.ts';
import type { JoinSettings } from '../../gateway/pipeline/join/join-definition.ts';
import { throughDisk } from '../gateway/pipeline/make-reading.ts';
import { describeCases, effectOf, type Line, readingOf, timeAfter } from './cases.ts';

interface Config {
  readonly shows: string;
  readonly derive: DerivationSettings;
  readonly join: JoinSettings;
  readonly tables?: readonly TableSettings[];
}

/** Or a table says something else. */
type DerivedLine = Line | { readonly table: string; readonly content: TableContent };

const KINDS: Readonly<Record<string, (config: Config, access: SeriesAccess) => Deriver>> = {
  derive: ({ derive }, access) => new Derivation(derive, access),
  join: ({ join }, access) => new Join(join, access),
  enrich: ({ derive, join }, access) =>
    derive === undefined ? new Join(join, access) : new Derivation(derive, access),
};

for (const [kind, make] of Object.entries(KINDS)) {
  describeCases<Config, DerivedLine>(kind, (config, input, resume) => {
    const settings = config.tables ?? [];
    let registry = new SeriesRegistry();
    let tables = new Tables(settings);
    let deriver = make(config, accessTo(registry, tables));
    let now = 0;
    return input.flatMap((line, index) => {
      if (resume) {
        const known = throughDisk(registry.all()) as readonly SeriesIdentity[];
        registry = new SeriesRegistry();
        for (const identity of known) registry.recall(identity);
        const snapshots = [tables, deriver].map((part) => throughDisk(part.snapshot()));
        tables = new Tables(settings);
        tables.restore(snapshots[0]);
        deriver = make(config, accessTo(registry, tables));
        deriver.restore(snapshots[1]);
      }
      const derived: unknown[] = [];
      const outlet = recording(derived);
      if ('table' in line) {
        tables.replace(line.table, line.content);
        return [];
      }
      now = timeAfter(line, now);
      return effectOf(index, feed(deriver, line, now, registry, outlet), { derived });
    });
  });
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

function feed(deriver: Deriver, line: Line, now: number, registry: SeriesRegistry, outlet: Outlet): Fate | undefined {
  if ('step' in line) {
    deriver.step(now, line.step, outlet);
    return undefined;
  }
  for (let due = deriver.nextDue; due <= now; due = deriver.nextDue) deriver.advance(due, outlet);
  deriver.advance(now, outlet);
  return 'advance' in line ? undefined : deriver.process(readingOf(line, registry), outlet);
}
