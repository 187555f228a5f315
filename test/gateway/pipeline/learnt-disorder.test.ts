import { expect, test } from 'vitest';
import { LearntDisorder } from '../../../gateway/pipeline/learnt-disorder.ts';
import { throughDisk } from './make-reading.ts';

const T0 = Date.UTC(2026, 5, 1);
const HOUR_MS = 3_600_000;

/** A device that is allowed 100 ms in any case, and 5 s at the most. */
function rig() {
  const disorder = new LearntDisorder({ leastMs: 100, mostMs: 5_000 });
  const behind = (byMs: number, at = 0) => {
    disorder.learn(T0 + at - byMs, T0 + at);
    return disorder.allowedMs;
  };
  return { disorder, behind };
}

test('a device is allowed as much as its readings were out of order, and what is given in any case', () => {
  const { disorder, behind } = rig();
  expect(disorder.allowedMs).toBe(100);
  disorder.learn(T0, Number.NEGATIVE_INFINITY);
  expect(behind(50)).toBe(100);
  expect(behind(700)).toBe(700);
  expect(behind(300)).toBe(700);
  expect(behind(-10_000)).toBe(700);
});

test('a backlog that no bound could have waited for teaches nothing', () => {
  const { behind } = rig();
  behind(0);
  expect(behind(5_001)).toBe(100);
  expect(behind(6 * HOUR_MS)).toBe(100);
  expect(behind(5_000)).toBe(5_000);
});

test('what was learnt is forgotten after an hour, and one more', () => {
  const { behind } = rig();
  behind(0);
  behind(700);
  expect(behind(200, HOUR_MS + 200)).toBe(700);
  expect(behind(0, 2 * HOUR_MS + 200)).toBe(200);
  expect(behind(0, 3 * HOUR_MS + 200)).toBe(100);
});

test('a device whose clock was set back goes on with what it has shown, and forgets it in its new time', () => {
  const { disorder, behind } = rig();
  behind(0, 48 * HOUR_MS);
  behind(700, 48 * HOUR_MS);
  disorder.beginAnew();
  expect(behind(0)).toBe(700);
  expect(behind(0, HOUR_MS)).toBe(100);
});

test('a restart forgets nothing, and new bounds hold at once', () => {
  const { disorder, behind } = rig();
  behind(0);
  behind(700);
  const snapshot = throughDisk(disorder.snapshot());
  const resumed = new LearntDisorder({ leastMs: 0, mostMs: 500 });
  resumed.restore(snapshot);
  expect(resumed.allowedMs).toBe(500);
  expect(() => resumed.restore([1, 'x', 2])).toThrow('how far a device is out of order');
});
