import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AsOfVector } from '../../../../gateway/detect/together/as-of-vector.ts';

const seed = Date.now() & 0x7fffffff;
process.stdout.write(`as-of vector seed ${seed}\n`);

type Heard = readonly [place: number, value: number, time: number];

function vectorOf(channels: number, maxAgeMs: number): AsOfVector {
  const vector = new AsOfVector(maxAgeMs);
  for (let i = 0; i < channels; i++) vector.addChannel();
  return vector;
}

/** The moments that come of readings: time and values, `-` where there is none. */
function moments(vector: AsOfVector, readings: readonly Heard[], made: string[] = []): string[] {
  const complete = () => {
    if (!vector.complete()) return;
    const values = [...vector.moment].map((value) => (Number.isNaN(value) ? '-' : value));
    made.push(`${vector.momentTime}: ${values.join(' ')}`);
  };
  for (const [place, value, time] of readings) {
    if (vector.beginsAnother(place, time)) complete();
    if (vector.take(place, value, time) && vector.isComplete) complete();
  }
  return made;
}

test('a moment is complete as soon as each channel has brought something new, at the time of the newest', () => {
  const readings: Heard[] = [
    [0, 1, 1000],
    [1, 10, 1002],
    [1, 20, 2001],
    [0, 2, 2000],
  ];
  expect(moments(vectorOf(2, 60_000), readings)).toEqual(['1002: 1 10', '2001: 2 20']);
});

test('a slow channel is judged with the last it said, and the quickest sets the pace', () => {
  const readings: Heard[] = [
    [0, 1, 1000],
    [1, 10, 1000],
    [0, 2, 2000],
    [0, 3, 3000],
    [0, 4, 4000],
    [1, 20, 4000],
  ];
  expect(moments(vectorOf(2, 60_000), readings)).toEqual(['1000: 1 10', '2000: 2 10', '3000: 3 10', '4000: 4 20']);
});

test('a channel that has been silent for too long is left out, and no longer waited for', () => {
  const readings: Heard[] = [
    [0, 0, 1000],
    [1, 0, 1000],
    [2, 100, 2000],
    [0, 1, 2000],
    [1, 10, 2000],
    [0, 2, 8000],
    [1, 20, 8000],
    [0, 3, 9000],
    [1, 30, 9000],
  ];
  expect(moments(vectorOf(3, 5000), readings)).toEqual([
    '1000: 0 0 -',
    '2000: 1 10 100',
    '8000: 2 20 -',
    '9000: 3 30 -',
  ]);
});

test('what is read at one time stays together, whichever channel came first or was lost', () => {
  const scan = (time: number, without = -1): Heard[] =>
    [0, 1, 2].filter((place) => place !== without).map((place) => [place, time / 1000, time + 2 * place]);
  const readings = [...scan(1000, 0), ...scan(2000), ...scan(3000), ...scan(4000, 1), ...scan(5000), ...scan(6000)];
  expect(moments(vectorOf(3, 60_000), readings)).toEqual([
    '1004: - 1 1',
    '2004: 2 2 2',
    '3004: 3 3 3',
    '4004: 4 3 4',
    '5004: 5 5 5',
    '6004: 6 6 6',
  ]);
  // The first scan of the last channel comes when the others have made a moment already.
  const late = [...scan(1000), ...scan(2000), ...scan(3000)];
  expect(moments(vectorOf(3, 60_000), late)).toEqual(['1002: 1 1 -', '1004: 1 1 1', '2004: 2 2 2', '3004: 3 3 3']);
});

test('one channel alone makes no moment', () => {
  const readings: Heard[] = [
    [0, 1, 1000],
    [1, 10, 1000],
    [0, 2, 9000],
    [0, 3, 10_000],
  ];
  expect(moments(vectorOf(2, 5000), readings)).toEqual(['1000: 1 10']);
});

test('what is not newer than the last of its channel is left out', () => {
  const vector = vectorOf(2, 5000);
  expect(vector.take(0, 1, 1000)).toBe(true);
  expect(vector.take(0, 2, 1000)).toBe(false);
  expect(vector.take(0, 2, 999)).toBe(false);
  expect(vector.take(0, 2, Number.NaN)).toBe(false);
  expect(vector.valueOf(0)).toBe(1);
});

test('a channel that comes later takes part from then on, and after a new beginning older times are newer', () => {
  const vector = vectorOf(2, 5000);
  const made = moments(vector, [
    [0, 1, 1000],
    [1, 10, 1000],
  ]);
  vector.addChannel();
  moments(vector, [[0, 2, 2000]], made);
  moments(vector, [[2, 100, 2000]], made);
  moments(vector, [[1, 20, 2000]], made);
  vector.beginAnew();
  moments(vector, [[0, 3, 500]], made);
  moments(vector, [[1, 30, 500]], made);
  expect(made).toEqual(['1000: 1 10', '2000: 2 20 100', '500: 3 30 -']);
});

const reading = fc.tuple(
  fc.integer({ min: 0, max: 2 }),
  fc.integer({ min: 0, max: 9 }),
  fc.integer({ min: 0, max: 40 }),
);

test('times of moments ascend, each value is the last of its channel, and new enough', () => {
  fc.assert(
    fc.property(fc.array(reading, { maxLength: 60 }), (readings) => {
      const vector = vectorOf(3, 5);
      const heard: Heard[] = [];
      let last = Number.NEGATIVE_INFINITY;
      const complete = () => {
        if (!vector.complete()) return;
        expect(vector.momentTime).toBeGreaterThan(last);
        last = vector.momentTime;
        const newest = [0, 1, 2].map((place) => heard.filter(([of]) => of === place).at(-1));
        expect(vector.momentTime).toBe(Math.max(...newest.map((one) => one?.[2] ?? Number.NEGATIVE_INFINITY)));
        newest.forEach((one, place) => {
          const isNewEnough = one !== undefined && vector.momentTime - one[2] <= 5;
          expect(vector.moment[place]).toBe(isNewEnough ? one[1] : Number.NaN);
        });
      };
      for (const one of readings) {
        const [place, value, time] = one;
        if (vector.beginsAnother(place, time)) complete();
        if (!vector.take(place, value, time)) continue;
        heard.push(one);
        if (vector.isComplete) complete();
      }
    }),
    { seed, numRuns: 300 },
  );
});

test('stopped anywhere and resumed it makes the same moments', () => {
  fc.assert(
    fc.property(fc.array(reading, { maxLength: 40 }), fc.nat(), (readings, at) => {
      const cut = readings.length === 0 ? 0 : at % readings.length;
      const whole = moments(vectorOf(3, 5), readings);
      const first = vectorOf(3, 5);
      const made = moments(first, readings.slice(0, cut));
      const second = vectorOf(3, 5);
      expect(second.restore(deserialize(serialize(first.snapshot())))).toBe(true);
      expect(moments(second, readings.slice(cut), made)).toEqual(whole);
    }),
    { seed, numRuns: 200 },
  );
  expect(vectorOf(2, 5).restore(vectorOf(3, 5).snapshot())).toBe(false);
  expect(vectorOf(2, 5).restore(undefined)).toBe(false);
});
