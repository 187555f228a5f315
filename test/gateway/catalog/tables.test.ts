import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemDisk } from '../../../gateway/base/system-disk.ts';
import { tableFiles } from '../../../gateway/catalog/tables.ts';
import { temporaryFolder } from '../../temporary-folder.ts';

test('the file of a table is read again, and another object says that it says something else', async () => {
  const path = join(await temporaryFolder(), 'machines.csv');
  const content = { columns: { rated: 'double' }, rows: [['d', [5]]] } as const;
  const [file] = tableFiles([{ name: 'machines', path, key: 'device', tags: [], content }], systemDisk);
  await writeFile(path, 'device,rated\nd,5\n');
  expect(await file!.read()).toBe(content);
  await writeFile(path, 'device,rated\n\nd,5.0\n');
  expect(await file!.read()).toBe(content);
  await writeFile(path, 'device,rated\nd,6\n');
  const changed = await file!.read();
  expect(changed.rows).toEqual([['d', [6]]]);
  expect(await file!.read()).toBe(changed);
  await writeFile(path, `device,rated\n${'d,7\n'.repeat(500_000)}`);
  await expect(file!.read()).rejects.toThrow('it has 1048577 bytes; at most 1048576 are read');
  await writeFile(path, 'device,rated\nd,6\n');
  expect(await file!.read()).toBe(changed);
});
