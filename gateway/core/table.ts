/**
 * What a person has written down about devices, or about what a tag names: rows by their key, with cells that are numbers or texts. Plain data, which
 * goes into the journal as JSON: the names of the columns stand there once.
 */
export interface TableContent {
  /** By name, in the order of the cells. */
  readonly columns: Readonly<Record<string, CellType>>;
  /** Each key once. */
  readonly rows: readonly (readonly [key: string, cells: readonly Cell[]])[];
}

/** What all cells of a column are, in the words of expressions. */
export type CellType = 'double' | 'string';

/** Null where it is empty. */
export type Cell = number | string | null;

/** What the column of a first table, which expressions were typed with, is not in a second one; undefined where that can take its place. */
export function unlikeColumn(typed: TableContent, other: TableContent): string | undefined {
  return Object.keys(typed.columns).find((name) => other.columns[name] !== typed.columns[name]);
}
