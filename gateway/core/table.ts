/** What a person has written down about devices, or about what a tag names: rows by their key, with cells that are numbers or texts. */
export interface TableContent {
  /** By name. */
  readonly columns: Readonly<Record<string, CellType>>;
  /** Each key once; a cell that is empty is not there. Plain data: it goes into the journal as JSON. */
  readonly rows: readonly (readonly [key: string, cells: Readonly<Record<string, number | string>>])[];
}

/** What all cells of a column are, in the words of expressions. */
export type CellType = 'double' | 'string';

/** What the column of a first table, which expressions were typed with, is not in a second one; undefined where that can take its place. */
export function unlikeColumn(typed: TableContent, other: TableContent): string | undefined {
  return Object.keys(typed.columns).find((name) => other.columns[name] !== typed.columns[name]);
}
