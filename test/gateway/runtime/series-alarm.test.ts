import { describe, expect, test } from 'vitest';
import { SeriesRegistry } from '../../../gateway/base/series-registry.ts';
import type { AlarmEvent, Result } from '../../../gateway/core/result.ts';
import { SeriesAlarm } from '../../../gateway/runtime/series-alarm.ts';
import { type Box, newBox, START } from './box.ts';

const alarmsOf = (box: Box) => box.stored().filter((result): result is AlarmEvent => result.kind === 'alarm');

describe('when there is no room for a further series', () => {
  test('an alarm says so, once, and is cleared when there is: also after crashes', async () => {
    const box = await newBox();
    box.maxSeries = 2;
    await box.boot();
    for (const metric of ['a', 'b']) box.send({ metric, value: 1, time: START });
    await box.acknowledged();
    await box.clock.advance(5_000);
    expect(box.gateway.status()).toMatchObject({ activeAlarms: 0, series: { count: 2, max: 2, refusedTotal: 0 } });

    const refused = () => box.intake.series({ device: 'd', metric: 'c' });
    expect(refused()).toMatch('no room for another series');
    await box.clock.advance(5_000);
    expect(refused()).toMatch('no room for another series');
    await box.clock.advance(5_000);
    expect(box.gateway.status()).toMatchObject({ activeAlarms: 1, series: { count: 2, max: 2, refusedTotal: 2 } });
    await box.crash();
    refused();
    await box.clock.advance(5_000);
    expect(box.gateway.status().activeAlarms).toBe(1);
    expect(alarmsOf(box)).toMatchObject([
      {
        state: 'raised',
        series: { key: 'box/series' },
        severity: 'critical',
        value: 2,
        message:
          'There are 2 series, the most that storage.maxSeries allows: readings of further ones are refused, the first of d/c; raise storage.maxSeries, or see which device makes up names.',
      },
    ]);

    box.maxSeries = 3;
    await box.crash();
    await box.clock.advance(5_000);
    expect(box.gateway.status().activeAlarms).toBe(0);
    const [raised, cleared] = alarmsOf(box);
    expect(cleared).toMatchObject({ id: raised?.id, state: 'cleared', raisedAt: raised?.time });
    await box.stop();
  });
});

describe('the alarm', () => {
  function full(): SeriesRegistry {
    const registry = new SeriesRegistry(1);
    for (const metric of ['a', 'b']) registry.intern({ device: 'd', metric });
    return registry;
  }

  test('has an id of its own, and is raised once, also after a snapshot', () => {
    const steps: Result[] = [];
    const emit = (step: Result) => void steps.push(step);
    const alarm = new SeriesAlarm();
    const refused = { type: 'series-refused', first: 'd/b', max: 1, time: 5 } as const;
    alarm.refused(refused, 'a/b', emit);
    const resumed = new SeriesAlarm();
    resumed.restore(structuredClone(alarm.snapshot()));
    resumed.refused({ ...refused, time: 6 }, 'a/b', emit);
    expect(steps).toMatchObject([{ id: 'bound@a%2Fb/series@5' }]);
    expect(resumed.raised?.id).toBe('bound@a%2Fb/series@5');
  });

  test('tells the journal once, until that has come back', () => {
    const alarm = new SeriesAlarm();
    expect(alarm.look(new SeriesRegistry(1), 1)).toBeUndefined();
    const told = alarm.look(full(), 2);
    expect(told).toEqual({ type: 'series-refused', first: 'd/b', max: 1, time: 2 });
    expect(alarm.look(full(), 3)).toBeUndefined();
  });

  test('a snapshot of another form is refused', () => {
    expect(() => new SeriesAlarm().restore({})).toThrow('Cannot restore the alarm of too many series');
  });
});
