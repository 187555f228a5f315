import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EXACT_VALUES, Quantiles } from '../../../../gateway/pipeline/aggregate/quantiles.ts';
import { throughDisk } from '../make-reading.ts';

const SHARES = [0, 0.01, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1];

function quantilesOf(values: readonly number[]): Quantiles {
  const quantiles = new Quantiles();
  for (const value of values) quantiles.add(value);
  return quantiles;
}

function exact(values: readonly number[], share: number): { low: number; high: number; value: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)]!;
  const high = sorted[Math.ceil(at)]!;
  return { low, high, value: low + (high - low) * (at - Math.floor(at)) };
}

/** Each of the two order statistics may be off by 1 %. */
function expectWithin(quantiles: Quantiles, values: readonly number[]): void {
  for (const share of SHARES) {
    const { low, high, value } = exact(values, share);
    const tolerance = 0.0101 * Math.max(Math.abs(low), Math.abs(high)) + 1e-300;
    expect(Math.abs(quantiles.at(share)! - value), `p${share * 100}`).toBeLessThanOrEqual(tolerance);
  }
}

test('quantiles of a few values are exact and interpolated', () => {
  const quantiles = quantilesOf([4, 1, 3, 2]);
  expect(quantiles.at(0.5)).toBe(2.5);
  expect(quantiles.at(0)).toBe(1);
  expect(quantiles.at(1)).toBe(4);
  expect(quantiles.at(0.25)).toBe(1.75);
  expect(new Quantiles().at(0.5)).toBeUndefined();
});

test('up to 64 values they are exact, beyond within 1 %', () => {
  const values = Array.from({ length: EXACT_VALUES }, (_, i) => 100 + ((i * 37) % EXACT_VALUES));
  expect(quantilesOf(values).at(0.5)).toBe(131.5);
  const more = [...values, 1000];
  expect(quantilesOf(more).at(0.5)).not.toBe(132);
  expectWithin(quantilesOf(more), more);
});

test('the least and the greatest value stay exact', () => {
  const values = Array.from({ length: 500 }, (_, i) => Math.sin(i) * 1000);
  expect(quantilesOf(values).at(0)).toBe(Math.min(...values));
  expect(quantilesOf(values).at(1)).toBe(Math.max(...values));
});

test('values of any sign and magnitude are within 1 %', () => {
  const magnitude = fc.oneof(
    fc.double({ min: -1e3, max: 1e3, noNaN: true }),
    fc.constantFrom(0, 1, -1),
    fc.double({ min: 1, max: 16, noNaN: true }).map((exponent) => 10 ** exponent),
  );
  const rounded = magnitude.map((value) => (Math.abs(value) < 1 ? 0 : value));
  fc.assert(
    fc.property(fc.array(rounded, { minLength: 1, maxLength: 400, size: 'max' }), (values) => {
      expectWithin(quantilesOf(values), values);
    }),
  );
});

test('the largest doubles do not overflow', () => {
  const values = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 1.7e308 : -1.7e308));
  for (const share of SHARES) {
    expect(Number.isFinite(quantilesOf(values).at(share))).toBe(true);
    expect(Number.isFinite(quantilesOf(values.slice(0, 4)).at(share))).toBe(true);
  }
});

test('memory is bounded: three hundred orders of magnitude share 2 048 bins', () => {
  const values = Array.from({ length: 5000 }, (_, i) => 10 ** (i / 10 - 250));
  const snapshot = quantilesOf(values).snapshot() as { positive: { bins: Float64Array } };
  expect(snapshot.positive.bins.length).toBeLessThanOrEqual(2048);
  expect(quantilesOf(values).at(0.99)! / exact(values, 0.99).value).toBeCloseTo(1, 1);
});

test('merged parts have the quantiles of the whole', () => {
  const values = fc.array(fc.oneof(fc.constantFrom(0, 1, -1, 0.5), fc.double({ min: -1e3, max: 1e3, noNaN: true })), {
    maxLength: 200,
    size: 'max',
  });
  fc.assert(
    fc.property(values, values, (left, right) => {
      const whole = [...left, ...right].map((value) => (Math.abs(value) < 1e-9 ? 0 : value));
      const merged = quantilesOf(whole.slice(0, left.length));
      merged.merge(quantilesOf(whole.slice(left.length)));
      if (whole.length > 0) expectWithin(merged, whole);
    }),
  );
});

test.each([10, 200])('restored quantiles of %i values go on equally', (count) => {
  const values = Array.from({ length: count }, (_, i) => ((i * 7919) % 1000) - 300);
  const resumed = new Quantiles();
  resumed.restore(throughDisk(quantilesOf(values).snapshot()));
  const whole = quantilesOf(values);
  for (let i = 0; i < 300; i++) {
    const value = 10 ** (((i * 31) % 40) - 20);
    resumed.add(value);
    whole.add(value);
  }
  expect(resumed.snapshot()).toEqual(whole.snapshot());
  for (const share of SHARES) expect(resumed.at(share)).toBe(whole.at(share));
});

test.each([undefined, ['a'], { totals: [1] }, { totals: [0, 0, 0, 0, 0], positive: { bins: [1] }, negative: {} }])(
  'the damaged snapshot %j is refused',
  (snapshot) => {
    expect(() => new Quantiles().restore(snapshot)).toThrow('Cannot restore the quantiles of a window');
  },
);
