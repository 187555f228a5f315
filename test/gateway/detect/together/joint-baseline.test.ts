import { deserialize, serialize } from 'node:v8';
import { expect, test } from 'vitest';
import { JointBaseline } from '../../../../gateway/detect/together/joint-baseline.ts';
import { seededRandom } from '../seeded-random.ts';

const NO_BOUND = () => Number.POSITIVE_INFINITY;

/** A baseline that has learnt a channel of noise and one that wanders, and where that is now. */
function learnt(moments: number): { baseline: JointBaseline; random: () => number; walk: number } {
  const random = seededRandom(1);
  const baseline = new JointBaseline({ smooth: 20, memory: 4000 });
  baseline.addChannel();
  baseline.addChannel();
  let walk = 0;
  for (let i = 0; i < moments; i++) {
    walk += random() - 0.5;
    baseline.takeIn(Float64Array.from([random(), walk]), NO_BOUND);
    baseline.learn();
    baseline.pass();
  }
  return { baseline, random, walk };
}

/** How far the two are from their levels after 300 moments in which both have moved away, and only what wanders was followed. */
function offsetsAfterMove(unexplained: number): [noise: number, walk: number] {
  const { baseline, random, walk } = learnt(3000);
  for (let i = 0; i < 300; i++) {
    baseline.takeIn(Float64Array.from([random() + 20, walk + 20]), NO_BOUND);
    baseline.follow(0, unexplained);
    baseline.follow(1, unexplained);
    baseline.pass();
  }
  const inUnits = (place: number) =>
    baseline.averageOf(place, 0) - baseline.averageOf(place, -baseline.offsetOf(place));
  return [inUnits(0), inUnits(1)];
}

test('what wanders is followed when it moves away, what is only noisy is held', () => {
  const [noise, walk] = offsetsAfterMove(1);
  expect(noise).toBeGreaterThan(15);
  expect(Math.abs(walk)).toBeLessThan(6);
});

test('what wanders only with the others is held', () => {
  const [, walk] = offsetsAfterMove(0);
  expect(walk).toBeGreaterThan(15);
});

test('spreads are those of the moving average, and of what the sensor can tell apart at the least', () => {
  const { baseline } = learnt(3000);
  // Uniform noise over 20 readings, weighted exponentially: √(1/12/39).
  const own = Math.sqrt(1 / 12 / 39);
  const unit = baseline.spreadOf(0, 1e9) / own;
  expect(baseline.averageOf(0, baseline.spreadOf(0, 1e9)) - baseline.averageOf(0, 0)).toBeGreaterThan(0.8 * own);
  expect(baseline.averageOf(0, baseline.spreadOf(0, 1e9)) - baseline.averageOf(0, 0)).toBeLessThan(1.6 * own);
  expect(unit).toBeGreaterThan(0);
  const constant = new JointBaseline({ smooth: 20, memory: 4000 });
  constant.addChannel();
  for (let i = 0; i < 100; i++) {
    constant.takeIn(Float64Array.from([7]), NO_BOUND);
    constant.learn();
    constant.pass();
  }
  expect(constant.spreadOf(0, 5)).toBe(0);
  constant.takeIn(Float64Array.from([9]), NO_BOUND);
  expect(constant.averageOf(0, constant.spreadOf(0, 5)) - constant.averageOf(0, 0)).toBeCloseTo(2 / 5, 9);
});

test('a reading counts for no more than it may', () => {
  const { baseline } = learnt(100);
  const before = baseline.averageOf(0, 0);
  const spread = baseline.spreadOf(0, 5);
  baseline.takeIn(Float64Array.from([1e300, Number.NaN]), () => 10 * spread);
  expect(baseline.offsetOf(0)).toBeLessThan(2 * spread);
  expect(baseline.averageOf(0, 0) - before).toBeLessThan(1);
  expect(baseline.lastOf(0)).toBeGreaterThan(1e90);
});

test('it goes on from its snapshot, also with more channels than it had, and refuses what is none', () => {
  const { baseline } = learnt(500);
  const snapshot = deserialize(serialize(baseline.snapshot()));
  const next = new JointBaseline({ smooth: 20, memory: 4000 });
  expect(next.restore(snapshot)).toBe(true);
  expect(next.size).toBe(2);
  expect(next.snapshot()).toEqual(baseline.snapshot());
  const larger = new JointBaseline({ smooth: 20, memory: 4000 });
  for (let i = 0; i < 3; i++) larger.addChannel();
  for (const wrong of [undefined, {}, { channels: new Float64Array(10), covariances: new Float64Array(3) }]) {
    expect(next.restore(wrong)).toBe(false);
  }
  expect(larger.restore(snapshot)).toBe(false);
});
