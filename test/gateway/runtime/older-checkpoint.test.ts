import { expect, test } from 'vitest';
import { SeriesRegistry } from '../../../gateway/base/series-registry.ts';
import { makeStages } from '../../../gateway/catalog/stages.ts';
import { Quality } from '../../../gateway/core/quality.ts';
import type { Series } from '../../../gateway/core/reading.ts';
import type { Result } from '../../../gateway/core/result.ts';
import { Deduplicator } from '../../../gateway/pipeline/deduplicate.ts';
import { Analysis } from '../../../gateway/runtime/analysis.ts';
import { FateMemory } from '../../../gateway/runtime/fate-memory.ts';
import { Ledger } from '../../../gateway/runtime/ledger.ts';
import { RecentReadings } from '../../../gateway/runtime/recent-readings.ts';
import { Taps } from '../../../gateway/runtime/taps.ts';
import { configurationOf } from '../../config/load-text.ts';

const CONFIGURATION = configurationOf(`
gateway: { name: box }
detect:
  - { series: "*", detector: range, max: 100, alarm: { severity: critical, hold: 0s } }
`);

/** An analysis, what came of it, and a way to give it readings of a device. */
function analysisOf() {
  const registry = new SeriesRegistry();
  const results: Result[] = [];
  const recent = new RecentReadings();
  const ledger = new Ledger();
  const analysis = new Analysis({
    watchers: { taps: new Taps([]), fates: new FateMemory() },
    ...{ deduplicator: new Deduplicator(16), ledger, recent },
    makeStages: () => makeStages(CONFIGURATION, registry, recent),
    results: (some) => results.push(...some),
  });
  const feed = (device: string, value: number, time: number) => {
    const series = registry.intern({ device, metric: 'm' }) as Series;
    ledger.admit(ledger.row('floor'), series);
    const rest = { source: 'floor', quality: Quality.good, sourceTime: time, receiveTime: time };
    analysis.process([{ series, value, ...rest }]);
  };
  return { analysis, results, feed };
}

/** The stages of a checkpoint as a release wrote them that had no desk: judges noted who had acknowledged. */
function asBefore(stages: Readonly<Record<string, unknown>>, acknowledgedAt: number) {
  const { alarms: _, maintenance: __, ...rest } = structuredClone(stages);
  const { series } = rest['detection'] as { series: Map<string, { judges: Map<string, { alarm: number[] }> }> };
  for (const [key, { judges }] of series) {
    for (const judge of judges.values()) {
      judge.alarm = [...judge.alarm.slice(0, 3), key === 'a/m' ? acknowledgedAt : Number.NaN];
    }
  }
  return rest;
}

test('alarms of a checkpoint of an earlier release are open, with who had seen them, and are cleared', () => {
  const before = analysisOf();
  for (const device of ['a', 'b']) before.feed(device, 500, 1000);
  const { analysis, results, feed } = analysisOf();
  analysis.restore({ stages: asBefore(before.analysis.snapshot(), 77), receiveTime: 1000 });
  const { alarmDesk } = analysis.stages;
  expect(alarmDesk.open(1000)).toMatchObject([
    { id: 'range@a/m@1000', state: 'acknowledged', acknowledgedAt: 77 },
    { id: 'range@b/m@1000', state: 'unacknowledged' },
  ]);
  for (const device of ['a', 'b']) feed(device, 5, 2000);
  expect(results.map((result) => result.kind === 'alarm' && `${result.id} ${result.state}`)).toEqual([
    'range@a/m@1000 cleared',
    'range@b/m@1000 cleared',
  ]);
  expect(alarmDesk.open(2000)).toMatchObject([{ id: 'range@b/m@1000', state: 'returned' }]);
});
