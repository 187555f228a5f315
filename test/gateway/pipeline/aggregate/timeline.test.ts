import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ORDERED_READINGS, Timeline, type TimelineOptions } from '../../../../gateway/pipeline/aggregate/timeline.ts';
import { throughDisk } from '../make-reading.ts';

type Point = readonly [value: number, time: number];

const STEP: TimelineOptions = { interpolation: 'step', maxGapMs: Number.POSITIVE_INFINITY, states: [] };

function timelineOf(points: readonly Point[], options: Partial<TimelineOptions> = {}): Timeline {
  const timeline = new Timeline({ ...STEP, ...options });
  for (const [value, time] of points) timeline.add(value, time);
  return timeline;
}

test('a counter that goes down has begun anew at 0', () => {
  const { increase, delta, changes } = timelineOf([
    [90, 0],
    [100, 1],
    [3, 2],
    [10, 3],
    [10, 4],
  ]).course();
  expect({ increase, delta, changes }).toEqual({ increase: 20, delta: -80, changes: 3 });
});

test('step holds a value until the next reading, linear moves evenly to it', () => {
  const points: Point[] = [
    [0, 0],
    [10, 1000],
    [10, 3000],
  ];
  expect(timelineOf(points).course().integral).toBe(20);
  expect(timelineOf(points, { interpolation: 'linear' }).course().integral).toBe(25);
});

test('a silence longer than the longest gap counts for no time and no area', () => {
  const { coveredMs, integral, timeMean } = timelineOf(
    [
      [4, 0],
      [4, 1000],
      [8, 9000],
      [8, 10_000],
    ],
    { maxGapMs: 1000 },
  ).course();
  expect({ coveredMs, integral, timeMean }).toEqual({ coveredMs: 2000, integral: 12, timeMean: 6 });
});

test('where nothing but gaps lies between readings, the last value is the mean over time', () => {
  expect(
    timelineOf(
      [
        [4, 0],
        [8, 9000],
      ],
      { maxGapMs: 1000 },
    ).course().timeMean,
  ).toBe(8);
});

test('the time at a value is added up for each value that is asked for', () => {
  const course = timelineOf(
    [
      [0, 0],
      [2, 10],
      [3, 30],
      [2, 60],
      [0, 100],
    ],
    { states: [2, 3, 7] },
  ).course();
  expect([0, 1, 2].map((place) => course.durationAtMs(place))).toEqual([60, 30, 0]);
  expect(course.nonzeroMs).toBe(90);
});

test('a reading older than all that are kept apart has no part', () => {
  const points = Array.from({ length: 2 * ORDERED_READINGS }, (_, i): Point => [i, i * 10]);
  const timeline = timelineOf(points);
  const before = timeline.course().snapshot();
  timeline.add(1e6, 0.5);
  expect(timeline.course().snapshot()).toEqual(before);
});

test('a timeline that took over a later one still takes readings out of order', () => {
  const first = timelineOf([
    [1, 0],
    [2, 600],
  ]);
  first.merge(timelineOf([[5, 1500]]));
  first.add(9, 300);
  expect(first.course().integral).toBe(4.8);
});

test('a timeline that is merged into another stays as it was, whatever becomes of the other', () => {
  const merged = new Timeline(STEP);
  const minute = timelineOf(Array.from({ length: 200 }, (_, i): Point => [i, i * 100]));
  const before = minute.snapshot();
  merged.merge(minute);
  merged.merge(timelineOf([[1, 20_000]]));
  for (let i = 0; i < 200; i++) merged.add(i, 40_000 + i * 100);
  expect(minute.snapshot()).toEqual(before);
});

test('a snapshot of another form is refused', () => {
  expect(() => new Timeline(STEP).restore({ settled: [1] })).toThrow('Cannot restore the course of a window');
  expect(() => new Timeline(STEP).restore(undefined)).toThrow('Cannot restore the timeline of a window');
});

/** Keeps everything, sorts it, and adds it up as it is written in a textbook. */
function witness(points: readonly Point[], { interpolation, maxGapMs, states }: TimelineOptions) {
  const sorted = points.map(([value, time], arrival) => ({ value, time, arrival }));
  sorted.sort((a, b) => a.time - b.time || a.arrival - b.arrival);
  const spans = sorted.slice(1).map((to, i) => ({ from: sorted[i]!, to, ms: to.time - sorted[i]!.time }));
  const bridged = spans.filter(({ ms }) => ms <= maxGapMs);
  const total = (numbers: number[]) => numbers.reduce((sum, number) => sum + number, 0);
  return {
    delta: sorted.at(-1)!.value - sorted[0]!.value,
    changes: spans.filter(({ from, to }) => from.value !== to.value).length,
    increase: total(
      spans.map(({ from, to }) => (to.value < from.value ? Math.max(0, to.value) : to.value - from.value)),
    ),
    coveredMs: total(bridged.map(({ ms }) => ms)),
    integral:
      total(
        bridged.map(({ from, to, ms }) => (interpolation === 'step' ? from.value : (from.value + to.value) / 2) * ms),
      ) / 1000,
    nonzeroMs: total(bridged.map(({ from, ms }) => (from.value === 0 ? 0 : ms))),
    durations: states.map((state) => total(bridged.map(({ from, ms }) => (from.value === state ? ms : 0)))),
  };
}

function measured(timeline: Timeline, { states }: TimelineOptions) {
  const course = timeline.course();
  const { delta, changes, increase, coveredMs, integral, nonzeroMs } = course;
  const durations = states.map((_, place) => course.durationAtMs(place));
  return { delta, changes, increase, coveredMs, integral, nonzeroMs, durations };
}

describe('against a witness that keeps everything and sorts it', () => {
  // Whole numbers, and halves of them, add up exactly in any order.
  const options = fc.record({
    interpolation: fc.constantFrom('step', 'linear'),
    maxGapMs: fc.constantFrom(Number.POSITIVE_INFINITY, 500, 40),
    states: fc.constantFrom([], [0], [1, -2]),
  });
  const value = fc.integer({ min: -3, max: 6 });
  /** Each point at most 20 places behind the newest. */
  const points = fc
    .array(fc.tuple(value, fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 20 })), {
      minLength: 1,
      maxLength: 400,
    })
    .map((steps) => {
      let time = 1_700_000_000_000;
      const ordered = steps.map(([number, after, back]) => {
        time += after;
        return { point: [number, time] as Point, back };
      });
      const keyed = ordered.map(({ point, back }, place) => ({ point, key: place + back }));
      return keyed.sort((a, b) => a.key - b.key).map(({ point }) => point);
    });

  test('readings in any order within the bound give the same numbers, also when stopped and resumed', () => {
    fc.assert(
      fc.property(points, options, fc.nat(), (all, chosen, at) => {
        const settings = chosen as TimelineOptions;
        const cut = at % (all.length + 1);
        const resumed = new Timeline(settings);
        resumed.restore(throughDisk(timelineOf(all.slice(0, cut), settings).snapshot()));
        for (const [number, time] of all.slice(cut)) resumed.add(number, time);
        expect(measured(resumed, settings)).toEqual(witness(all, settings));
        expect(resumed.snapshot()).toEqual(timelineOf(all, settings).snapshot());
      }),
      { numRuns: 300 },
    );
  });

  test('timelines of stretches one after the other merge into one, whichever takes over the other', () => {
    fc.assert(
      fc.property(points, options, fc.nat(), fc.boolean(), (all, chosen, at, forwards) => {
        const settings = chosen as TimelineOptions;
        const sorted = [...all].sort(([, a], [, b]) => a - b);
        const border = sorted[at % sorted.length]![1];
        const earlier = timelineOf(
          sorted.filter(([, time]) => time < border),
          settings,
        );
        const later = timelineOf(
          sorted.filter(([, time]) => time >= border),
          settings,
        );
        if (forwards) earlier.merge(later);
        else later.merge(earlier);
        expect(measured(forwards ? earlier : later, settings)).toEqual(witness(sorted, settings));
      }),
      { numRuns: 300 },
    );
  });
});
