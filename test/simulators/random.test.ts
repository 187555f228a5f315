import { expect, test } from 'vitest';
import { Random } from '../../simulators/random.ts';

test('the same seed draws the same numbers, another seed others', () => {
  const draw = (seed: number) => {
    const random = new Random(seed);
    return Array.from({ length: 20 }, () => random.next());
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});

test('uniform draws fill [0, 1) evenly', () => {
  const random = new Random(1);
  const tenths = new Array<number>(10).fill(0);
  for (let i = 0; i < 10_000; i++) tenths[Math.floor(random.next() * 10)]!++;
  expect(Math.min(...tenths)).toBeGreaterThan(900);
  expect(Math.max(...tenths)).toBeLessThan(1_100);
});

test('normal draws have mean 0 and standard deviation 1', () => {
  const random = new Random(2);
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < 20_000; i++) {
    const x = random.normal();
    sum += x;
    squares += x * x;
  }
  expect(sum / 20_000).toBeCloseTo(0, 1);
  expect(squares / 20_000).toBeCloseTo(1, 1);
});

test('a fork is independent of its siblings and of what was drawn before from them', () => {
  const first = new Random(3).fork('a');
  const second = new Random(3).fork('b');
  expect(first.next()).not.toBe(second.next());
  expect(new Random(3).fork('a').next()).toBe(new Random(3).fork('a').next());
});
