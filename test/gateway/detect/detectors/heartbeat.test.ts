import { expect, test } from 'vitest';
import { HeartbeatDetector } from '../../../../gateway/detect/detectors/heartbeat.ts';
import { seededRandom } from '../seeded-random.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const FROM = Date.UTC(2026, 0, 1);

/** A detector and the time of the last reading, after readings with these gaps between. */
function after(
  gaps: readonly number[],
  detector = new HeartbeatDetector(),
): { detector: HeartbeatDetector; time: number } {
  let time = FROM;
  detector.judge(20, time);
  for (const gap of gaps) {
    time += gap;
    detector.judge(20, time);
  }
  return { detector, time };
}

/** How long a silence must last. */
function limitMs({ detector, time }: { detector: HeartbeatDetector; time: number }): number {
  return detector.silence.dueAt - time;
}

const regular = (gapMs: number, count: number) => new Array<number>(count).fill(gapMs);

test('silence is too long after five times the usual gap, and after a minute at the least', () => {
  expect(limitMs(after(regular(30 * SECOND, 1000)))).toBeCloseTo(150 * SECOND, -2);
  expect(limitMs(after(regular(10 * SECOND, 1000)))).toBe(MINUTE);
  expect(limitMs(after(regular(10, 100_000)))).toBe(MINUTE);
  expect(after(regular(30 * SECOND, 1000)).detector.expected()).toBe('a reading at least every 30 s');
});

test('it is learning until it has listened for ten times as long as it would let pass', () => {
  for (const [gapMs, learnMs] of [
    [10 * SECOND, 10 * MINUTE],
    [5 * MINUTE, 250 * MINUTE],
  ] as const) {
    const detector = new HeartbeatDetector();
    const learning = regular(gapMs, 1000).filter((_, i) => detector.judge(1, FROM + i * gapMs).learning);
    expect(learning.length * gapMs).toBeGreaterThanOrEqual(learnMs);
    expect(learning.length * gapMs).toBeLessThan(learnMs * 1.05 + 2 * gapMs);
  }
  expect(limitMs(after(regular(10 * SECOND, 20)))).toBe(Number.POSITIVE_INFINITY);
});

test('two readings ever are no rhythm', () => {
  expect(limitMs(after([]))).toBe(Number.POSITIVE_INFINITY);
  expect(limitMs(after([10 * SECOND]))).toBe(Number.POSITIVE_INFINITY);
});

test('what arrives in bursts has the gap between the bursts for usual', () => {
  const burst = [...regular(10, 59), 10 * MINUTE];
  const many = Array.from({ length: 300 }, () => burst).flat();
  const detector = new HeartbeatDetector();
  let time = FROM;
  for (const gap of many) {
    time += gap;
    expect(time).toBeLessThan(detector.silence.dueAt);
    detector.judge(1, time);
  }
  expect(limitMs({ detector, time })).toBeGreaterThan(49 * MINUTE);
});

test('gaps of any distribution are silent only where one is five times as long as nearly all', () => {
  const random = seededRandom(2);
  // Exponential: the longest of a thousand is seven times the mean.
  const gaps = Array.from({ length: 50_000 }, () => -Math.log(1 - random()) * MINUTE);
  const detector = new HeartbeatDetector();
  let time = FROM;
  for (const gap of gaps) {
    time += gap;
    expect(detector.judge(1, time).anomaly).toBe(false);
  }
});

test('the fixed limit holds from the first reading on, whatever is usual', () => {
  const fixed = () => new HeartbeatDetector({ afterMs: 5 * MINUTE });
  expect(limitMs(after([], fixed()))).toBe(5 * MINUTE);
  expect(limitMs(after(regular(HOUR, 100), fixed()))).toBe(5 * MINUTE);
  expect(after([], fixed()).detector.expected()).toBe('a reading within 5 min');
});

test('a silence is told once, in words, and the next reading is normal', () => {
  const { detector, time } = after(regular(30 * SECOND, 1000));
  const { dueAt } = detector.silence;
  expect(detector.silence.fall()).toEqual({ score: 1, anomaly: true, learning: false });
  expect(detector.seen()).toMatch(/^has been silent for 2\.5 min$/);
  expect(detector.silence).toMatchObject({ dueAt: Number.POSITIVE_INFINITY, since: time, lastValue: 20 });
  expect(detector.judge(21, dueAt + HOUR)).toEqual({ score: 0, anomaly: false, learning: false });
  expect(detector.silence.dueAt).toBeGreaterThan(dueAt + HOUR);
});

test('an outage hardly changes what is usual, and what it changes is forgotten', () => {
  const { detector, time } = after(regular(30 * SECOND, 2000));
  detector.silence.fall();
  detector.judge(1, time + 24 * HOUR);
  let now = time + 24 * HOUR;
  expect(detector.silence.dueAt - now).toBeLessThanOrEqual(5 * MINUTE);
  for (let i = 0; i < 2000; i++) {
    now += 30 * SECOND;
    detector.judge(1, now);
  }
  expect(detector.silence.dueAt - now).toBeCloseTo(150 * SECOND, -2);
});

test('a series that begins to come sixty times more seldom is known after four silences', () => {
  const { detector, time } = after(regular(12 * SECOND, 5000));
  let now = time;
  let silences = 0;
  for (let i = 0; i < 100; i++) {
    now += 12 * MINUTE;
    if (detector.silence.dueAt <= now) {
      silences++;
      detector.silence.fall();
    }
    detector.judge(1, now);
  }
  expect(silences).toBe(4);
});

test('while the gateway does not listen nobody is silent, and the gap teaches nothing', () => {
  const { detector, time } = after(regular(30 * SECOND, 1000));
  const usualMs = detector.silence.dueAt - time;
  detector.silence.listenAgain(time + 24 * HOUR);
  expect(detector.silence.dueAt).toBe(time + 24 * HOUR + usualMs);
  expect(detector.judge(1, time + 24 * HOUR + 20 * SECOND).score).toBeLessThan(1);
  expect(limitMs({ detector, time: time + 24 * HOUR + 20 * SECOND })).toBe(usualMs);
});

test('a clock that is set makes nobody silent', () => {
  for (const byMs of [HOUR, -HOUR]) {
    const { detector, time } = after(regular(30 * SECOND, 1000));
    const usualMs = detector.silence.dueAt - time;
    detector.silence.step(byMs);
    expect(detector.silence.dueAt).toBe(time + byMs + usualMs);
    expect(detector.judge(1, time + byMs + 30 * SECOND).score).toBeCloseTo(0.2, 2);
  }
});

test('a reading never brings forward when silence is too long', () => {
  const random = seededRandom(4);
  const { detector } = after(regular(30 * SECOND, 1000));
  let time = detector.silence.since;
  let due = detector.silence.dueAt;
  for (let i = 0; i < 20_000; i++) {
    time += random() < 0.5 ? 0 : random() * 20 * SECOND;
    detector.judge(1, time);
    expect(detector.silence.dueAt).toBeGreaterThanOrEqual(due);
    due = detector.silence.dueAt;
  }
});

test('of a recording, the row after a gap that is too long is the anomaly', () => {
  const { detector, time } = after(regular(30 * SECOND, 1000));
  expect(detector.judge(1, time + HOUR)).toMatchObject({ anomaly: true });
  expect(detector.seen()).toBe('has been silent for 1 h');
  expect(detector.judge(1, time + HOUR + 30 * SECOND).anomaly).toBe(false);
});

test('a silence that was fine is usual from then on, whether it is over or lasts', () => {
  for (const isOver of [true, false]) {
    const { detector, time } = after(regular(30 * SECOND, 1000));
    expect(detector.accept()).toBe(false);
    detector.silence.fall();
    if (isOver) detector.judge(1, time + HOUR);
    expect(detector.accept()).toBe(true);
    if (!isOver) detector.judge(1, time + HOUR);
    expect(detector.silence.dueAt - (time + HOUR)).toBeCloseTo(5 * HOUR, -4);
    expect(detector.accept()).toBe(false);
  }
  const fixed = after([], new HeartbeatDetector({ afterMs: MINUTE })).detector;
  fixed.silence.fall();
  expect(fixed.accept()).toBe(false);
});
