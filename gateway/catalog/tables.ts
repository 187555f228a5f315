import type { TableConfiguration } from '../../config/analysis-configuration.ts';
import { MAX_TABLE_BYTES, parseTable } from '../../config/table-file.ts';
import { readWholeFile } from '../base/atomic-file.ts';
import type { Disk } from '../core/disk.ts';
import type { TableContent } from '../core/table.ts';
import type { TableFile } from '../runtime/table-keeper.ts';

/** The tables of a configuration, which are read again from the disk. */
export function tableFiles(tables: readonly TableConfiguration[], disk: Disk): readonly TableFile[] {
  return tables.map(({ name, path, key, content: configured }) => {
    let content = configured;
    let bytes: Buffer | undefined;
    const read = async (): Promise<TableContent> => {
      const found = await readWholeFile(disk, path, MAX_TABLE_BYTES + 1);
      if (bytes?.equals(found) === true) return content;
      const parsed = parseTable(found.toString(), path, key);
      if (JSON.stringify(parsed) !== JSON.stringify(content)) content = parsed;
      bytes = found;
      return content;
    };
    return { name, content: configured, read };
  });
}
