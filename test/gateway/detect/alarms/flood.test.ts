import { expect, test } from 'vitest';
import { Flood } from '../../../../gateway/detect/alarms/flood.ts';
import { raise } from './alarm-steps.ts';

const MINUTE = 60_000;
const POLICY = { above: 3, below: 2, withinMs: 10 * MINUTE };

/** Raises one alarm at each time; whether it was told to nobody. */
function hear(flood: Flood, times: readonly number[], device = 'press-1'): boolean[] {
  return times.map((time) => {
    const event = raise(device, time);
    flood.hear(event, time);
    return flood.suppresses(event);
  });
}

test('the first alarm too many begins it, and it is over when fewer came within the time', () => {
  const flood = new Flood(POLICY, 'box');
  expect(
    hear(
      flood,
      [0, 1, 2].map((i) => i * MINUTE),
    ),
  ).toEqual([false, false, false]);
  expect(flood.endsAt).toBe(Number.POSITIVE_INFINITY);
  expect(hear(flood, [3 * MINUTE])).toEqual([true]);
  expect(flood.endsAt).toBe(12 * MINUTE);
  hear(flood, [11 * MINUTE]);
  expect(flood.endsAt).toBe(13 * MINUTE);
  flood.end(13 * MINUTE);
  expect(flood.state).toBeUndefined();
  expect(flood.endsAt).toBe(Number.POSITIVE_INFINITY);
});

test('as many as are allowed in the time are none, however long it goes on', () => {
  const flood = new Flood(POLICY, 'box');
  const times = Array.from({ length: 100 }, (_, i) => i * 200_000);
  expect(hear(flood, times).some(Boolean)).toBe(false);
});

test('its alarm tells how many came of which devices where how many were expected, and at the end how many nobody heard of', () => {
  const flood = new Flood(POLICY, 'plant');
  hear(flood, [0, 1, 2]);
  const raised = flood.hear(raise('pump-2', 3), 3);
  expect(raised).toMatchObject({ id: 'flood@plant/alarms@3', severity: 'warning', state: 'raised', value: 4 });
  expect(raised?.message).toBe(
    'Too many alarms at once: 4 were raised since 1970-01-01T00:00:00.000Z where at most 3 in 10 min were expected, 3 of press-1, 1 of pump-2; until fewer than 2 come, those below critical are kept, and told to nobody.',
  );
  for (let i = 0; i < 6; i++) hear(flood, [4], `d${i}`);
  flood.hear(raise('d5', 5, 'critical'), 5);
  const cleared = flood.end(700_000);
  expect(cleared).toMatchObject({ id: raised?.id, state: 'cleared', time: 700_000, value: 11 });
  expect(cleared.message).toBe(
    'The flood of alarms since 1970-01-01T00:00:00.003Z is over: 11 were raised, 3 of press-1, 2 of d5, 1 of pump-2, 1 of d0, 1 of d1, 3 of 3 other devices, and 7 of them told to nobody; fewer than 2 came in the last 10 min.',
  );
});

test('critical alarms are told in it all the same', () => {
  const flood = new Flood(POLICY, 'box');
  hear(flood, [0, 1, 2, 3]);
  const critical = raise('press-1', 4, 'critical');
  flood.hear(critical, 4);
  expect(flood.suppresses(critical)).toBe(false);
  expect(flood.state).toMatchObject({ count: 5, suppressed: 1 });
});

test('with an `above` of 0 there never is one', () => {
  const flood = new Flood({ ...POLICY, above: 0 }, 'box');
  expect(
    hear(
      flood,
      Array.from({ length: 50 }, (_, i) => i),
    ).some(Boolean),
  ).toBe(false);
});

test('a clock that is set makes it neither longer nor shorter, and it goes on after a restart', () => {
  const flood = new Flood(POLICY, 'box');
  hear(flood, [0, 1, 2, 3]);
  flood.step(-1000);
  const resumed = new Flood(POLICY, 'box');
  resumed.restore(structuredClone(flood.snapshot()));
  expect(resumed.endsAt).toBe(2 - 1000 + POLICY.withinMs);
  expect(resumed.state).toEqual(flood.state);
});

test('one that is on is over at once where the configuration has none any more', () => {
  const flood = new Flood(POLICY, 'box');
  hear(flood, [0, 1, 2, 3]);
  const off = new Flood({ ...POLICY, above: 0 }, 'box');
  off.restore(structuredClone(flood.snapshot()));
  expect(off.endsAt).toBe(Number.NEGATIVE_INFINITY);
  expect(() => off.restore({})).toThrow('Cannot restore the flood of alarms');
});

test('of thousands of devices only so many are counted apart', () => {
  const flood = new Flood(POLICY, 'box');
  for (let i = 0; i < 5_000; i++) hear(flood, [i], `d${i}`);
  expect(flood.state?.byDevice.size).toBeLessThanOrEqual(101);
  expect(flood.state?.byDevice.get('(others)')).toBe(4_900);
});
