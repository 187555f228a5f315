import { expect, test, vi } from 'vitest';
import { imbalance } from '../../../gateway/runtime/ledger.ts';
import { settle } from '../../manual-clock.ts';
import { bootedBox, CHECKPOINT_EVERY_MS, newBox, START } from './box.ts';

test('while memory is critical publishers wait and new series are refused, and then everything goes on', async () => {
  const box = await bootedBox();
  const heard: string[] = [];
  box.gateway.subscribe(({ topic }) => heard.push(topic));
  box.send({ metric: 'a', value: 1, time: START });
  await box.acknowledged();
  box.memory = { ...box.memory, heapUsedBytes: 0.95 * box.memory.heapLimitBytes };
  await box.clock.advance(1_000);
  expect(box.gateway.status()).toMatchObject({ state: 'degraded', memory: { state: 'critical' } });
  expect(box.gateway.notReady()).toEqual(['memory is short: sources wait']);
  expect(box.intake.series({ device: 'd', metric: 'new' })).toContain('memory is short');
  expect(heard).toContain('off');
  expect(box.gateway.liveIsOff).toBe(true);
  let acknowledged = 0;
  for (let i = 1; i <= 3; i++) {
    box.send({ metric: 'a', value: i, time: START + i });
    box.intake.acknowledge(() => acknowledged++);
    await settle();
  }
  expect(acknowledged).toBe(0);
  await box.clock.advance(20_000);
  expect(acknowledged).toBe(3);
  box.memory = { ...box.memory, heapUsedBytes: 0 };
  await box.clock.advance(1_000);
  expect(box.gateway.status().memory).toMatchObject({ state: 'normal' });
  expect(box.gateway.status().memory.shedding.map(({ total }) => total)).toEqual([1, 1, 1]);
  box.send({ metric: 'new', value: 1, time: START });
  await box.acknowledged();
  expect(box.gateway.status().ledger).toMatchObject({ received: 5, aggregated: 5 });
  await box.stop();
});

test('everything that grows with load is bounded, and the bounds are told', async () => {
  const box = await bootedBox();
  for (let i = 0; i < 40; i++) box.send({ metric: 'a', value: i, time: START + i * 60_000 });
  await box.acknowledged();
  const { bounds } = box.gateway.status().memory;
  const of = (name: string) => bounds.find((bound) => bound.name === name);
  expect(of('series')).toEqual({ name: 'series', used: 1, max: box.maxSeries, unit: 'series' });
  expect(of('open windows')!.used).toBeGreaterThan(0);
  expect(of('detectors')).toMatchObject({ used: 1 });
  expect(of('known for duplicates')).toMatchObject({ max: 32 });
  expect(of('last raw readings')!.used).toBeGreaterThanOrEqual(40);
  expect(of('devices in the ledger')).toMatchObject({ used: 1 });
  for (const { name, used, max } of bounds) expect(used, name).toBeLessThanOrEqual(max);
  expect(new Set(bounds.map(({ name }) => name)).size).toBe(bounds.length);
  await box.stop();
});

test('what waits until it is known what time it is counts among them', async () => {
  const box = await newBox();
  box.sync = 'required';
  await box.boot();
  box.send({ metric: 'a', value: 1, time: undefined });
  await box.acknowledged();
  await settle();
  expect(box.gateway.status().memory.bounds).toContainEqual({
    name: 'waiting for the clock',
    used: 1,
    max: 50_000,
    unit: 'readings',
  });
  await box.stop();
});

test('a bound on series that was lowered costs no open window: only new series are refused', async () => {
  const box = await bootedBox();
  for (const metric of ['b', 'c']) box.send({ metric, value: 1, time: START });
  await box.stop();
  box.maxSeries = 1;
  await box.boot();
  for (const metric of ['b', 'c']) box.send({ metric, value: 2, time: START + 1_000 });
  expect(box.intake.series({ device: 'd', metric: 'new' })).toContain('storage.maxSeries is 1');
  await box.acknowledged();
  await box.clock.advance(120_000);
  const counts = box.stored().flatMap((result) => (result.kind === 'aggregate' ? [result.fields['count']] : []));
  expect(counts).toEqual([2, 2]);
  await box.stop();
});

test('a journaled reading that finds no room for its series after a restart is counted as dropped', async () => {
  const box = await bootedBox();
  for (const metric of ['b', 'c', 'c']) box.send({ metric, value: 1, time: START + 1000 * box.journal.records.length });
  await box.acknowledged();
  box.maxSeries = 1;
  await box.crash();
  expect(box.gateway.status().ledger).toMatchObject({ received: 3, aggregated: 1, dropped: 2, inFlight: 0 });
  expect(imbalance(box.gateway.status().ledger)).toBe(0);
  expect(box.gateway.ledgerReport(9).groups).toMatchObject([{ name: 'd', received: 3, dropped: 2, imbalance: 0 }]);
  await box.stop();
});

test('a journal too small for the readings to remember is freed of them, and the log says so', async () => {
  const box = await newBox();
  const status = box.journal.status.bind(box.journal);
  box.journal.status = () => ({ ...status(), maxBytes: 300 });
  await box.boot();
  for (let i = 0; i < 20; i++) {
    box.send({ metric: 'b', value: i, time: START + i * 100 });
    await box.acknowledged();
  }
  expect(box.journal.status().bytes).toBeGreaterThan(300);
  await box.clock.advance(CHECKPOINT_EVERY_MS);
  await vi.waitUntil(() => box.journal.status().bytes <= 150, { timeout: 5_000 });
  expect(box.logLines()).toContainEqual(expect.stringContaining('fewer redelivered readings are recognised'));
  await box.crash();
  expect(box.gateway.status().ledger).toMatchObject({ received: 20, aggregated: 20 });
  await box.stop();
});
