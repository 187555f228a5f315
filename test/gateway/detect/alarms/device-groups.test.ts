import { expect, test } from 'vitest';
import { DeviceGroups, MAX_GROUPS } from '../../../../gateway/detect/alarms/device-groups.ts';
import { raise } from './alarm-steps.ts';

test('alarms of a device that follow each other shortly are one group, and those of another device are not', () => {
  const groups = new DeviceGroups(60_000);
  const ids = [
    raise('press-1', 0),
    raise('press-1', 50_000, 'critical', 'oil'),
    raise('press-2', 50_000),
    raise('press-1', 110_000),
    raise('press-1', 170_001),
  ].map((event) => groups.groupOf(event));
  expect(ids).toEqual(['press-1@0', 'press-1@0', 'press-2@50000', 'press-1@0', 'press-1@170001']);
});

test('devices of one name at two sites are two', () => {
  const groups = new DeviceGroups(60_000);
  const event = raise('press-1', 0);
  const elsewhere = { ...event, series: { ...event.series, tags: { site: 'plant-7' } } };
  expect([event, elsewhere].map((one) => groups.groupOf(one))).toEqual(['press-1@0', 'plant-7/press-1@0']);
});

test('of more devices than are remembered, that one is forgotten which has had no alarm for the longest', () => {
  const groups = new DeviceGroups(60_000);
  for (let i = 0; i < MAX_GROUPS; i++) groups.groupOf(raise(`d${i}`, 0));
  groups.groupOf(raise('d0', 1));
  groups.groupOf(raise('new', 2));
  const resumed = new DeviceGroups(60_000);
  resumed.restore(structuredClone(groups.snapshot()));
  expect(resumed.size).toBe(MAX_GROUPS);
  expect(['d0', 'd1'].map((device) => resumed.groupOf(raise(device, 3)))).toEqual(['d0@0', 'd1@3']);
  expect(() => resumed.restore([])).toThrow('Cannot restore the groups of alarms');
});
