import { deserialize, serialize } from 'node:v8';
import { expect, test } from 'vitest';
import { SeriesRegistry } from '../../../gateway/base/series-registry.ts';
import type { Series } from '../../../gateway/core/reading.ts';
import { Fate } from '../../../gateway/core/stage.ts';
import { imbalance, Ledger, MAX_GROUPS, OTHER_GROUPS, UNKNOWN_GROUP } from '../../../gateway/runtime/ledger.ts';

const registry = new SeriesRegistry();

function series(device: string, metric = 'm', tags: Record<string, string> = {}): Series {
  const made = registry.intern({ device, metric, tags });
  if (typeof made === 'string') throw new Error(made);
  return made;
}

/** Every row, of sources and of groups. */
function rows(ledger: Ledger) {
  return [...ledger.sources(), ...ledger.groups()];
}

test('every row balances at any moment, and sources and groups add up to the same', () => {
  const ledger = new Ledger();
  const [floor, press] = [ledger.row('floor'), ledger.row('press')];
  const steps = [
    () => ledger.admit(floor, series('a')),
    ...Object.values(Fate).flatMap((fate) => [
      () => ledger.admit(press, series('b')),
      () => ledger.settle(press, series('b'), fate),
    ]),
    () => ledger.reject(floor, 'a'),
    () => ledger.reject(floor, undefined),
    () => ledger.drop(press, 'b', 7),
  ];
  for (const step of steps) {
    step();
    for (const [name, row] of rows(ledger)) expect(imbalance(row), name).toBe(0);
    const groups = [...ledger.groups().values()].reduce((sum, row) => sum + row.received, 0);
    expect(groups).toBe(ledger.total().received);
  }
  expect(ledger.groups().get('a')).toMatchObject({ received: 2, inFlight: 1, rejected: 1 });
  expect(ledger.groups().get('b')).toMatchObject({ received: 11, aggregated: 1, late: 1, duplicate: 1, filtered: 1 });
  expect(ledger.groups().get(UNKNOWN_GROUP)).toMatchObject({ received: 1, rejected: 1 });
  expect(ledger.sources().get('press')).toMatchObject({ received: 11, dropped: 7 });
});

test('a row that misses readings says how many', () => {
  const ledger = new Ledger();
  ledger.row('floor').received += 3;
  expect(ledger.report(10).total.imbalance).toBe(3);
  expect(ledger.report(10).sources).toMatchObject([{ name: 'floor', imbalance: 3 }]);
});

test('a group is a device of a site, whatever it measures', () => {
  const ledger = new Ledger();
  for (const metric of ['x', 'y']) ledger.admit(ledger.row('s'), series('pump', metric, { site: 'north', line: '1' }));
  ledger.admit(ledger.row('s'), series('pump', 'x', { site: 'south' }));
  ledger.admit(ledger.row('s'), series('pump'));
  expect([...ledger.groups()].map(([name, { received }]) => [name, received])).toEqual([
    ['north/pump', 2],
    ['south/pump', 1],
    ['pump', 1],
  ]);
});

test('devices beyond the bound are counted together', () => {
  const ledger = new Ledger();
  for (let i = 0; i < MAX_GROUPS + 50; i++) {
    ledger.admit(ledger.row('s'), series(`device-${i}`));
    ledger.reject(ledger.row('s'), `device-${i}`);
  }
  expect(ledger.groups().size).toBe(MAX_GROUPS + 1);
  expect(ledger.groups().get(OTHER_GROUPS)).toMatchObject({ received: 100, inFlight: 50, rejected: 50 });
  expect(ledger.total().received).toBe(2 * (MAX_GROUPS + 50));
});

test('the report begins with those that lost most to other fates than an aggregate, then the busiest', () => {
  const ledger = new Ledger();
  const row = ledger.row('s');
  for (let i = 0; i < 9; i++) ledger.settle(row, series('quiet'), Fate.aggregated);
  for (let i = 0; i < 20; i++) ledger.admit(row, series('busy'));
  ledger.drop(row, 'broken', 2);
  ledger.reject(row, 'odd');
  const { groups, groupCount } = ledger.report(3);
  expect(groups.map(({ name }) => name)).toEqual(['broken', 'odd', 'busy']);
  expect(groupCount).toBe(4);
});

test('a snapshot leaves out what is in flight, because a replay counts it again', () => {
  const ledger = new Ledger();
  const row = ledger.row('floor');
  for (let i = 0; i < 10; i++) ledger.admit(row, series('a'));
  for (let i = 0; i < 7; i++) ledger.settle(row, series('a'), Fate.aggregated);
  const restored = new Ledger();
  restored.restore(deserialize(serialize(ledger.snapshot())));
  for (const [name, counts] of rows(restored)) {
    expect(counts, name).toMatchObject({ received: 7, inFlight: 0, aggregated: 7 });
  }
  expect([...restored.groups().keys()]).toEqual(['a']);
});

test('a snapshot keeps devices of any name', () => {
  const ledger = new Ledger();
  const names = ['__proto__', 'constructor', '7', '(others)'];
  for (const name of names) ledger.admit(ledger.row('s'), series(name));
  const restored = new Ledger();
  restored.restore(deserialize(serialize(ledger.snapshot())));
  expect([...restored.groups().keys()]).toEqual(names);
});

test('rows that were taken before the restore go on counting after it', () => {
  const before = new Ledger();
  before.settle(before.row('floor'), series('a'), Fate.late);
  before.drop(before.row('floor'), 'a', 5);
  const ledger = new Ledger();
  const row = ledger.row('floor');
  ledger.reject(row, 'a');
  ledger.restore(before.snapshot());
  ledger.drop(row, 'a', 1);
  expect(ledger.total().dropped).toBe(6);
  expect(ledger.groups().get('a')?.dropped).toBe(6);
});

test('what an older checkpoint counted by source alone belongs to no known device', () => {
  const before = new Ledger();
  before.drop(before.row('floor'), 'a', 5);
  before.drop(before.row('press'), 'b', 2);
  const ledger = new Ledger();
  ledger.restore({ sources: before.snapshot().sources, groups: undefined });
  expect([...ledger.groups()]).toMatchObject([[UNKNOWN_GROUP, { received: 7, dropped: 7 }]]);
  expect(ledger.total().received).toBe(7);
});
