import { expect, test } from 'vitest';
import { rowStart, triangleSize } from '../../../../gateway/detect/together/cholesky.ts';
import { JointSpace } from '../../../../gateway/detect/together/joint-space.ts';

/** Covariances of channels of variance 1 that all go together by `correlation`. */
function covariances(size: number, correlation: number): Float64Array {
  const triangle = new Float64Array(triangleSize(size)).fill(correlation);
  for (let i = 0; i < size; i++) triangle[rowStart(i) + i] = 1;
  return triangle;
}

function residuals(offsets: readonly number[], correlation: number, readings: number): number[] {
  const space = new JointSpace();
  space.clear();
  offsets.forEach((offset, place) => {
    space.add(place, offset, 1);
  });
  space.resolve(covariances(offsets.length, correlation), readings);
  return [...space.residual.slice(0, offsets.length)];
}

/** A million readings a channel: next to nothing is shrunk. */
const MANY = 1e12;

test('channels that go together as they always did are where the others say, those that part are not', () => {
  const [together] = residuals([2, 2], 0.99, MANY);
  const [apart] = residuals([2, -2], 0.99, MANY);
  // (2 − 0.99·2) / √(1 − 0.99²), and with the other sign.
  expect(together).toBeCloseTo(0.02 / Math.sqrt(1 - 0.99 ** 2), 6);
  expect(apart).toBeCloseTo(3.98 / Math.sqrt(1 - 0.99 ** 2), 6);
});

test('channels that have nothing to do with each other are judged each by itself', () => {
  expect(residuals([3, -1, 0.5], 0, MANY)).toEqual([3, -1, 0.5].map((value) => expect.closeTo(value, 9)));
});

test('the square of a residual is what the squared Mahalanobis distance loses without its channel', () => {
  const offsets = [2, -1, 0.5];
  const squared = (of: readonly number[]) => {
    // (1 − r)·I + r·J has this inverse (Sherman and Morrison).
    const r = 0.6;
    const sum = of.reduce((a, b) => a + b, 0);
    const squares = of.reduce((a, b) => a + b * b, 0);
    return (squares - (r * sum * sum) / (1 + (of.length - 1) * r)) / (1 - r);
  };
  const whole = squared(offsets);
  for (const [place, residual] of residuals(offsets, 0.6, MANY).entries()) {
    expect(residual ** 2).toBeCloseTo(whole - squared(offsets.toSpliced(place, 1)), 6);
  }
});

test('correlations are believed the more the more readings there were', () => {
  const at = (readings: number) => residuals([2, -2], 0.99, readings)[0]!;
  expect(at(100)).toBe(at(400));
  expect(at(100)).toBeLessThan(3.5);
  expect(at(2500)).toBeGreaterThan(at(400));
  expect(at(250_000)).toBeGreaterThan(20);
});

test('collinear channels and those further away than can be have finite residuals', () => {
  for (const offset of [1, 1e30, -1e200]) {
    for (const residual of residuals([offset, -offset, offset], 1, MANY)) expect(Number.isFinite(residual)).toBe(true);
  }
});
