import { expect, test } from 'vitest';
import { Course } from '../../../../gateway/pipeline/aggregate/course.ts';
import type { TimelineOptions } from '../../../../gateway/pipeline/aggregate/timeline.ts';
import { throughDisk } from '../make-reading.ts';

const OPTIONS: TimelineOptions = { interpolation: 'step', maxGapMs: 1000, states: [2] };

function courseOf(...points: [value: number, time: number][]): Course {
  const course = new Course(OPTIONS);
  for (const [value, time] of points) course.add(value, time);
  return course;
}

test('a single reading covers no time and has no rate', () => {
  const { coveredMs, rate, timeMean, delta } = courseOf([5, 100]);
  expect({ coveredMs, rate, timeMean, delta }).toEqual({ coveredMs: 0, rate: undefined, timeMean: 5, delta: 0 });
});

test('a course that follows on another is what one would have been', () => {
  const points: [number, number][] = [
    [2, 0],
    [4, 500],
    [1, 900],
    [1, 5000],
    [2, 5600],
    [0, 6000],
  ];
  for (let cut = 0; cut <= points.length; cut++) {
    const first = courseOf(...points.slice(0, cut));
    first.follow(courseOf(...points.slice(cut)));
    expect(first.snapshot(), `cut at ${cut}`).toEqual(courseOf(...points).snapshot());
  }
});

test('a copy goes its own way', () => {
  const course = courseOf([2, 0]);
  const copy = course.copy();
  copy.add(3, 10);
  expect([course.lastTime, copy.lastTime]).toEqual([0, 10]);
  expect([course.durationAtMs(0), copy.durationAtMs(0)]).toEqual([0, 10]);
});

test('a restored course goes on equally, and one of another form is refused', () => {
  const resumed = new Course(OPTIONS);
  resumed.restore(throughDisk(courseOf([2, 0], [3, 10]).snapshot()));
  resumed.add(4, 20);
  expect(resumed.snapshot()).toEqual(courseOf([2, 0], [3, 10], [4, 20]).snapshot());
  expect(() => resumed.restore([1, 2])).toThrow('Cannot restore the course of a window');
});
