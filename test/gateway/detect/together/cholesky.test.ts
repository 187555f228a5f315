import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  factorise,
  inverseDiagonal,
  rowStart,
  solve,
  triangleSize,
} from '../../../../gateway/detect/together/cholesky.ts';

const seed = Date.now() & 0x7fffffff;
process.stdout.write(`cholesky seed ${seed}\n`);

/** A·Aᵀ + ¼·I is symmetric and positive definite. */
const matrix = fc.integer({ min: 1, max: 9 }).chain((size) =>
  fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: size * size, maxLength: size * size }).map((a) => {
    const full = Array.from({ length: size }, (_, i) =>
      Array.from({ length: size }, (_, j) => {
        let sum = i === j ? 0.25 : 0;
        for (let k = 0; k < size; k++) sum += a[i * size + k]! * a[j * size + k]!;
        return sum;
      }),
    );
    return full;
  }),
);

function packed(full: readonly (readonly number[])[]): Float64Array {
  const triangle = new Float64Array(triangleSize(full.length));
  for (const [i, row] of full.entries()) for (let j = 0; j <= i; j++) triangle[rowStart(i) + j] = row[j]!;
  return triangle;
}

test('a solution put back into the matrix gives the right side again', () => {
  fc.assert(
    fc.property(matrix, (full) => {
      const factor = packed(full);
      factorise(factor, full.length, 1e-9);
      const x = Float64Array.from(full, (_, i) => Math.sin(i + 1));
      solve(factor, full.length, x);
      full.forEach((row, i) => {
        expect(row.reduce((sum, element, j) => sum + element * x[j]!, 0)).toBeCloseTo(Math.sin(i + 1), 6);
      });
    }),
    { seed, numRuns: 100 },
  );
});

test('the diagonal of the inverse is what solving for each unit vector gives', () => {
  fc.assert(
    fc.property(matrix, (full) => {
      const size = full.length;
      const factor = packed(full);
      factorise(factor, size, 1e-9);
      const diagonal = new Float64Array(size);
      inverseDiagonal(factor, size, diagonal, new Float64Array(size));
      for (let i = 0; i < size; i++) {
        const unit = new Float64Array(size);
        unit[i] = 1;
        solve(factor, size, unit);
        expect(diagonal[i]! / unit[i]!).toBeCloseTo(1, 9);
      }
    }),
    { seed, numRuns: 100 },
  );
});

test('a matrix that is not positive definite is solved as if it were just so', () => {
  const factor = packed([
    [1, 1],
    [1, 1],
  ]);
  factorise(factor, 2, 0.01);
  const x = Float64Array.from([1, -1]);
  solve(factor, 2, x);
  expect([...x]).toEqual([201, -200].map((value) => expect.closeTo(value, 6)));
});
