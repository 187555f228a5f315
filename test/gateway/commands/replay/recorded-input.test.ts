import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LineProtocolReader } from '../../../../gateway/commands/replay/line-protocol-reader.ts';
import { NdjsonReader } from '../../../../gateway/commands/replay/ndjson-reader.ts';
import { readRecorded } from '../../../../gateway/commands/replay/recorded-input.ts';
import { scratch } from '../headgate.ts';
import { readInPieces, recordedCalls } from './recorded-calls.ts';

const T0 = Date.UTC(2026, 0, 5);

let folder: string;
let remove: () => Promise<void>;

beforeAll(async () => {
  ({ folder, remove } = await scratch());
});
afterAll(() => remove());

async function devicesInOrder(...names: readonly string[]): Promise<readonly string[]> {
  const target = recordedCalls();
  const paths = names.map((name) => join(folder, name));
  for await (const _path of readRecorded(paths, target));
  const devices = target.calls.map((call) => call.split('/')[0]!);
  return devices.filter((device, i) => device !== devices[i - 1]);
}

const rows = (count: number) =>
  `time,v\n${Array.from({ length: count }, (_, i) => `${T0 + i * 1000},${i}`).join('\n')}\n`;

test('CSVs of different devices are read side by side, a portion of each in turn', async () => {
  await writeFile(join(folder, 'a.csv'), rows(40_000));
  await writeFile(join(folder, 'b.csv'), rows(20_000));
  const order = await devicesInOrder('a.csv', 'b.csv');
  expect(order.slice(0, 4)).toEqual(['a', 'b', 'a', 'b']);
});

test('files that may go on from one another follow one another', async () => {
  await mkdir(join(folder, 'later'));
  await writeFile(join(folder, 'later', 'a.csv'), rows(40_000));
  await writeFile(join(folder, 'c.ndjson'), `{"device":"c","metric":"v","value":1,"time":${T0}}\n`);
  expect(await devicesInOrder('a.csv', 'later/a.csv')).toEqual(['a']);
  expect((await devicesInOrder('a.csv', 'c.ndjson', 'b.csv')).slice(0, 3)).toEqual(['a', 'c', 'b']);
});

test('many more files than are read at once are all read', async () => {
  const names = Array.from({ length: 40 }, (_, i) => `many-${i}.csv`);
  for (const name of names) await writeFile(join(folder, name), rows(1));
  expect(await devicesInOrder(...names)).toEqual(names.map((name) => name.replace('.csv', '')));
});

test('a file that cannot be read is known before anything of the others is read, where its ending says so', async () => {
  const target = recordedCalls();
  const read = async () => {
    for await (const _path of readRecorded([join(folder, 'b.csv'), join(folder, 'x.xml')], target));
  };
  await expect(read()).rejects.toThrow(/x\.xml: its ending says nothing about its format/);
  expect(target.calls).toEqual([]);
});

test('a line without an end is refused before it takes all memory', async () => {
  await writeFile(join(folder, 'endless.ndjson'), Buffer.alloc(5 * 1024 * 1024, 'x'));
  await expect(devicesInOrder('endless.ndjson')).rejects.toThrow(
    /endless\.ndjson: a line is longer than 4194304 bytes/,
  );
});

test.each([1, 7, 64, 1_000])('lines may come in pieces of %i bytes', (size) => {
  const ndjson = recordedCalls();
  const lines = [
    `{"device":"é","metric":"m","value":true,"time":${T0}}`,
    '',
    '{',
    `{"device":"d","metric":"m","value":"on","time":${T0},"tags":{"site":"s"}}`,
  ];
  readInPieces(new NdjsonReader(ndjson), lines.join('\n'), [size]);
  expect(ndjson.calls).toEqual([
    `é/m true ${T0}`,
    expect.stringMatching(/^line 3: it is not JSON/),
    `s/d/m "on" ${T0}`,
  ]);

  const line = recordedCalls();
  const points = [
    `m,device=d value=1 ${T0}000000`,
    '# nothing',
    `m value= ${T0}000000`,
    `m,device=d value=2 ${T0}000000`,
  ];
  readInPieces(new LineProtocolReader('x.lp', line), points.join('\n'), [size]);
  expect(line.calls).toEqual([`d/m 1 ${T0}`, expect.stringMatching(/^x\.lp: line 3: /), `d/m 2 ${T0}`]);
});
