import { GatewayError, messageOf } from '../gateway/core/errors.ts';
import type { TableContent } from '../gateway/core/table.ts';
import { quoted } from './problems.ts';
import type { Partly, Report } from './report.ts';
import type { CheckedFile } from './schema.ts';
import { parseTable } from './table-file.ts';

/** What the files of tables hold, by the names of the tables; without those that could not be read. */
export type ReadTables = ReadonlyMap<string, TableContent>;

/** Names that mean something else in expressions. */
const TAKEN = ['value', 'left', 'right', 'device', 'metric', 'tags'];

type PartlyTable = NonNullable<NonNullable<Partly<CheckedFile>['tables']>[number]>;

/** Reads the tables of a file and checks them: what is wrong is reported at its place. */
export function readTables(
  tables: Partly<CheckedFile>['tables'],
  readFile: ((path: string) => string) | undefined,
  report: Report,
): ReadTables {
  const read = new Map<string, TableContent>();
  tables?.forEach((table, index) => {
    if (table?.name === undefined) return;
    const path = `tables[${index}]`;
    if (!/^[A-Za-z][A-Za-z0-9_]*$/.test(table.name) || TAKEN.includes(table.name)) {
      report(
        `${path}.name`,
        `an expression cannot name a table ${quoted(table.name)}`,
        `letters, digits and _, beginning with a letter, and none of ${TAKEN.join(', ')}`,
      );
      return;
    }
    const content = readTable(table, path, readFile, report);
    if (content !== undefined) read.set(table.name, content);
  });
  return read;
}

function readTable(
  { file, key, tags }: PartlyTable,
  path: string,
  readFile: ((path: string) => string) | undefined,
  report: Report,
): TableContent | undefined {
  if (file === undefined || key === undefined) return undefined;
  try {
    if (readFile === undefined) throw new GatewayError('files cannot be read here');
    const content = parseTable(readFile(file), file, key);
    tags?.forEach((name, index) => {
      if (name === undefined || Object.hasOwn(content.columns, name)) return;
      const columns = Object.keys(content.columns).join(', ');
      report(`${path}.tags[${index}]`, `the table has no column ${quoted(name)}`, `it has ${columns}`);
    });
    return content;
  } catch (error) {
    const hint =
      error instanceof GatewayError ? error.hint : 'it must be there and readable by the user of the gateway';
    report(`${path}.file`, `cannot take ${file}: ${messageOf(error)}`, hint);
    return undefined;
  }
}
