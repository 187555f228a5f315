import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Quality } from '../../../gateway/core/quality.ts';
import { RecordKind } from '../../../gateway/runtime/reading-codec.ts';
import { settle } from '../../manual-clock.ts';
import { MemoryLog } from '../../memory-log.ts';
import { Box, START } from './box.ts';

/** The smallest that a file may ask for; no record of more than a quarter of it is taken. */
const JOURNAL_BYTES = 16 * 1024 * 1024;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headgate-large-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function bootedBox(): Promise<Box> {
  const box = new Box(folder);
  box.maxSeries = 10_000;
  box.rememberedReadings = 10_000;
  box.journal.maxBytes = JOURNAL_BYTES;
  await box.boot();
  return box;
}

/** A message of 5 000 values of as many series with the longest names there are; a mark says that it is admitted. */
function sendLargeMessage({ intake }: Box): void {
  const tags = { long: 'x'.repeat(256), longer: 'y'.repeat(256), longest: 'z'.repeat(256) };
  intake.marks.set('device', 7, 1);
  for (let i = 0; i < 5_000; i++) {
    const series = intake.series({ device: 'd'.repeat(256), metric: `m-${i}`, tags });
    if (typeof series === 'string') throw new Error(series);
    intake.reading(series, i, Quality.good, START + 600_000, START + 600_000);
  }
}

test('a message with a mark is one record, as long as that has room in the journal', async () => {
  const box = await bootedBox();
  box.intake.marks.set('device', 7, 1);
  for (let i = 0; i < 5_000; i++) box.send({ metric: `m-${i}`, value: i, time: START + 600_000 });
  await box.acknowledged();
  expect(box.journal.records.map(({ payload, items }) => [payload[0], items])).toEqual([[RecordKind.marked, 5_000]]);
  await box.stop();
});

test('one that is too large becomes several, and only the last says that it is admitted', async () => {
  const box = await bootedBox();
  sendLargeMessage(box);
  await box.acknowledged();
  const { records } = box.journal;
  expect(Math.max(...records.map(({ payload }) => payload.length))).toBeLessThan(JOURNAL_BYTES / 4);
  expect(records.length).toBeGreaterThan(1);
  expect(records.map(({ payload }) => payload[0])).toEqual([
    ...records.slice(1).map(() => RecordKind.readings),
    RecordKind.marked,
  ]);
  expect(records.reduce((sum, { items }) => sum + items, 0)).toBe(5_000);

  // The power goes before the last record is there: the message is sent again, and counts once.
  const cut = new MemoryLog();
  for (const { payload, items } of records.slice(0, -1)) cut.append(payload, items);
  await cut.commit();
  box.journal = cut;
  await box.crash();
  expect(box.intake.marks.get('device', 7)).toBeUndefined();
  sendLargeMessage(box);
  await box.acknowledged();
  await settle();
  const { received, duplicate } = box.gateway.status().ledger;
  expect(received - duplicate).toBe(5_000);
  expect(box.intake.marks.get('device', 7)).toBe(1);
  await box.stop();
});
