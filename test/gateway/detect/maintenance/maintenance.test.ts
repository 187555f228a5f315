import { expect, test } from 'vitest';
import { MAX_STARTED, Maintenance } from '../../../../gateway/detect/maintenance/maintenance.ts';

const press = { device: 'press-1', metric: 'oil', tags: {} };
const pump = { device: 'pump-1', metric: 'flow', tags: {} };
const row = (id: string, from: number, until: number, series = 'press-1/*') => {
  return { id, series, by: 'Ada', reason: 'new oil', from, until };
};

test('a planned one means the series of its pattern, in its time', () => {
  const plan = { series: 'press-*/*', reason: undefined, schedule: { from: 100, to: 200 } };
  const maintenance = new Maintenance([plan]);
  expect([99, 100, 199, 200].map((time) => maintenance.covers(press, time))).toEqual([false, true, true, false]);
  expect(maintenance.covers(pump, 150)).toBe(false);
  expect(maintenance.timesOf(press).map((times) => times.covers(150))).toEqual([true]);
  expect(maintenance.timesOf(pump)).toEqual([]);
  expect(maintenance.list(150)).toMatchObject([{ id: null, active: true, from: 100, until: 200 }]);
  expect(maintenance.list(200)).toMatchObject([{ active: false, from: null, until: null }]);
  expect(() => new Maintenance([{ ...plan, schedule: { from: 5, to: 5 } }])).toThrow('over before it begins');
});

test('one that an operator starts lasts until its time, or until it is stopped', () => {
  const maintenance = new Maintenance([]);
  const version = maintenance.version;
  expect(maintenance.start(row('a', 100, 200))).toBe(true);
  expect(maintenance.version).not.toBe(version);
  expect(maintenance.list(100)).toEqual([{ ...row('a', 100, 200), active: true }]);
  expect(maintenance.stop('b', 150)).toBe(false);
  expect(maintenance.stop('a', 150)).toBe(true);
  expect(maintenance.stop('a', 160)).toBe(false);
  expect([120, 149, 150].map((time) => maintenance.covers(press, time))).toEqual([true, true, false]);
  expect(maintenance.list(150)).toEqual([]);
});

test('it goes with the clock of the gateway, and on after a restart', () => {
  const maintenance = new Maintenance([]);
  maintenance.start(row('a', 100, 200));
  maintenance.step(1000);
  const resumed = new Maintenance([]);
  resumed.restore(structuredClone(maintenance.snapshot()));
  expect([199, 1100, 1199, 1200].map((time) => resumed.covers(press, time))).toEqual([false, true, true, false]);
  expect(() => resumed.restore({ version: 2 })).toThrow('Cannot restore what is in maintenance');
});

test('those that are over make room for further ones, those that are on do not', () => {
  const maintenance = new Maintenance([]);
  for (let i = 0; i < MAX_STARTED; i++) maintenance.start(row(`${i}`, i, i === 7 ? 5_000 : 1_000 + i));
  expect(maintenance.start(row('early', 500, 9_000))).toBe(false);
  expect(maintenance.start(row('later', 1_002, 9_000))).toBe(true);
  expect(maintenance.covers(press, 500)).toBe(true);
  expect(maintenance.bounds()).toMatchObject([{ used: MAX_STARTED, max: MAX_STARTED }]);
  expect(maintenance.list(4_000).map(({ id }) => id)).toEqual(['7', 'later']);
});
