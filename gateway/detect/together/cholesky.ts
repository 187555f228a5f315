/**
 * Symmetric matrices, kept as the rows of their lower triangle one after the other: a row more is appended, and what is there stays where it is.
 */

/** Where the row begins; its elements are those up to the diagonal. */
export function rowStart(row: number): number {
  return (row * (row + 1)) / 2;
}

/** How many numbers a matrix of `size` rows takes. */
export function triangleSize(size: number): number {
  return rowStart(size);
}

/**
 * Factorises a matrix in place: lower triangular `F` with `F·Fᵀ` equal to it (Cholesky).
 *
 * @param leastPivot what is known to be the least conditional variance, above 0: pivots below it are rounding, and raised to it
 */
export function factorise(matrix: Float64Array, size: number, leastPivot: number): void {
  for (let row = 0; row < size; row++) {
    const at = rowStart(row);
    for (let column = 0; column <= row; column++) {
      const other = rowStart(column);
      let rest = matrix[at + column]!;
      for (let i = 0; i < column; i++) rest -= matrix[at + i]! * matrix[other + i]!;
      matrix[at + column] = column === row ? Math.sqrt(Math.max(rest, leastPivot)) : rest / matrix[other + column]!;
    }
  }
}

/** Solves `F·Fᵀ·x = b` in place: `values` holds b before and x after. */
export function solve(factor: Float64Array, size: number, values: Float64Array): void {
  for (let row = 0; row < size; row++) {
    const at = rowStart(row);
    let rest = values[row]!;
    for (let i = 0; i < row; i++) rest -= factor[at + i]! * values[i]!;
    values[row] = rest / factor[at + row]!;
  }
  for (let row = size - 1; row >= 0; row--) {
    let rest = values[row]!;
    for (let i = row + 1; i < size; i++) rest -= factor[rowStart(i) + row]! * values[i]!;
    values[row] = rest / factor[rowStart(row) + row]!;
  }
}

/**
 * Writes the diagonal of the inverse of `F·Fᵀ` into `diagonal`.
 *
 * @param column room for `size` numbers
 */
export function inverseDiagonal(
  factor: Float64Array,
  size: number,
  diagonal: Float64Array,
  column: Float64Array,
): void {
  for (let j = 0; j < size; j++) {
    let sum = 0;
    for (let row = j; row < size; row++) {
      const at = rowStart(row);
      let rest = row === j ? 1 : 0;
      for (let i = j; i < row; i++) rest -= factor[at + i]! * column[i]!;
      const element = rest / factor[at + row]!;
      column[row] = element;
      sum += element * element;
    }
    diagonal[j] = sum;
  }
}
