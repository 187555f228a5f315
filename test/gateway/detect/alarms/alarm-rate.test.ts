import { expect, test } from 'vitest';
import { AlarmRate } from '../../../../gateway/detect/alarms/alarm-rate.ts';

const TEN_MINUTES = 600_000;
const DAY = 144 * TEN_MINUTES;

test('the average is over the stretches of ten minutes since the first alarm, and the most is of one of them', () => {
  const rate = new AlarmRate();
  expect(rate.at(5)).toEqual({ average: 0, most: 0 });
  for (const at of [0, 1, 2, 3.5]) rate.add(at * TEN_MINUTES);
  rate.add(3.9 * TEN_MINUTES);
  expect(rate.at(3.9 * TEN_MINUTES)).toEqual({ average: 5 / 4, most: 2 });
  expect(rate.at(9 * TEN_MINUTES)).toEqual({ average: 0.5, most: 2 });
});

test('what is older than a day does not count, and asking changes nothing', () => {
  const rate = new AlarmRate();
  for (let i = 0; i < 7; i++) rate.add(1);
  expect(rate.at(DAY - 1)).toEqual({ average: 7 / 144, most: 7 });
  expect(rate.at(DAY + TEN_MINUTES)).toEqual({ average: 0, most: 0 });
  expect(rate.at(1)).toEqual({ average: 7, most: 7 });
  rate.add(40 * DAY);
  expect(rate.at(40 * DAY)).toEqual({ average: 1 / 144, most: 1 });
});

test('a clock that is set takes nothing away', () => {
  const rate = new AlarmRate();
  rate.add(DAY);
  rate.step(-DAY / 2);
  rate.add(DAY / 2);
  expect(rate.at(DAY / 2)).toEqual({ average: 2, most: 2 });
  const resumed = new AlarmRate();
  resumed.restore(structuredClone(rate.snapshot()));
  expect(resumed.at(DAY / 2)).toEqual({ average: 2, most: 2 });
  expect(() => resumed.restore({})).toThrow('Cannot restore how often alarms came');
});
