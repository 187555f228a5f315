import { expect, test } from 'vitest';
import { SeriesRegistry } from '../../../gateway/base/series-registry.ts';
import { Quality } from '../../../gateway/core/quality.ts';
import type { Reading } from '../../../gateway/core/reading.ts';
import { Fate } from '../../../gateway/core/stage.ts';
import { FateCounter } from '../../../gateway/runtime/fate-counter.ts';
import { Ledger } from '../../../gateway/runtime/ledger.ts';

const registry = new SeriesRegistry();

function readingOf(source: string): Reading {
  const series = registry.intern({ device: 'press-1', metric: 'pressure', tags: {} });
  if (typeof series === 'string') throw new Error(series);
  return { series, source, value: 1, quality: Quality.good, sourceTime: 1, receiveTime: 1 };
}

test('each reading is counted in the row of its source, also where sources alternate', () => {
  const ledger = new Ledger();
  const counter = new FateCounter(ledger);
  for (const source of ['floor', 'http', 'floor', 'floor']) {
    const reading = readingOf(source);
    counter.resume(reading);
    counter.settle(reading, source === 'http' ? Fate.late : Fate.aggregated);
  }
  expect(ledger.sources().get('floor')).toMatchObject({ received: 3, inFlight: 0, aggregated: 3, late: 0 });
  expect(ledger.sources().get('http')).toMatchObject({ received: 1, inFlight: 0, aggregated: 0, late: 1 });
});

test('a derived reading is counted at its end only, in a row of its own and in no total', () => {
  const ledger = new Ledger();
  const counter = new FateCounter(ledger);
  const derived = readingOf('derive:power');
  counter.resume(derived);
  expect([ledger.derived().size, ledger.total().received]).toEqual([1, 0]);
  expect(ledger.derived().get('derive:power')).toMatchObject({ received: 0, inFlight: 0 });
  counter.settle(derived, Fate.aggregated);
  expect(ledger.derived().get('derive:power')).toMatchObject({ received: 1, inFlight: 0, aggregated: 1 });
  expect([ledger.sources().size, ledger.total().received]).toEqual([0, 0]);
});
