import { describe, expect, it } from 'vitest';
import { listLogs, verifyLog } from '../../../gateway/buffer/inspect.ts';
import type { SegmentLog } from '../../../gateway/buffer/segment-log.ts';
import type { SegmentLogOptions } from '../../../gateway/buffer/segment-log-options.ts';
import { THINNED_SUFFIX } from '../../../gateway/buffer/thinning.ts';
import type { LogRecord } from '../../../gateway/core/log.ts';
import { listPayload, listThinner } from '../../model/list-thinner.ts';
import { never, Rig, range } from './open-log.ts';

const OPTIONS: Partial<SegmentLogOptions> = { maxBytes: 65_536, whenFull: 'thin', thinner: listThinner };

/** Appends numbered items from `first` on, six in a record. */
async function put(log: SegmentLog, first: number, records: number): Promise<void> {
  for (let i = 0; i < records; i++) {
    log.append(listPayload(range(first + i * 6, first + i * 6 + 6), 200), 6);
    await log.commit();
  }
}

const idsOf = ({ payload }: LogRecord) => {
  const text = Buffer.from(payload).toString().split(' ')[0]!;
  return text === '' ? [] : text.split(',').map(Number);
};

async function all(log: SegmentLog, from = 0): Promise<readonly LogRecord[]> {
  const reader = log.reader(from);
  const records: LogRecord[] = [];
  for (let batch = await reader.read(2000); batch.length > 0; batch = await reader.read(2000)) records.push(...batch);
  await reader.close();
  return records;
}

describe('a full log that thins', () => {
  it('keeps the whole time at a lower resolution, newest data at the full one, within its bound', async () => {
    const rig = new Rig();
    const log = await rig.open(OPTIONS);
    await put(log, 0, 1000);
    const records = await all(log);
    const ids = records.flatMap(idsOf);
    const numbers = [...new Set(ids.map((id) => Math.floor(id / 3)))];
    const gaps = numbers.slice(1).map((number, index) => number - numbers[index]!);
    expect(numbers[0]).toBe(0);
    expect(numbers.at(-1)).toBe(1999);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(16);
    expect(gaps.at(-1)).toBe(1);
    for (const id of ids) expect(ids.filter((other) => Math.floor(other / 3) === Math.floor(id / 3))).toHaveLength(3);
    expect(log.status().bytes).toBeLessThanOrEqual(65_536);
    const { keptItems, droppedItems, appendedItems, droppedBySeries } = log.status();
    expect({ keptItems, appendedItems }).toEqual({ keptItems: ids.length, appendedItems: 6000 });
    expect(droppedItems).toBe(6000 - ids.length);
    const third = droppedItems / 3;
    expect(droppedBySeries).toEqual({ 'series 0': third, 'series 1': third, 'series 2': third });
    await log.stop(never);
    const again = await rig.open(OPTIONS);
    expect(again.status()).toMatchObject({ keptItems, droppedItems, appendedItems, droppedBySeries, damagedItems: 0 });
    expect(await all(again)).toEqual(records);
    await again.stop(never);
  });

  it('tells of each segment how often it was thinned, and gives records their old offsets and ordinals', async () => {
    const rig = new Rig();
    const log = await rig.open(OPTIONS);
    await put(log, 0, 300);
    for (const record of await all(log)) {
      expect(record.ordinal).toBe(record.offset * 6);
      expect(record.items).toBe(idsOf(record).length);
      expect(idsOf(record).every((id) => Math.floor(id / 6) === record.offset)).toBe(true);
    }
    const { segments } = await verifyLog('/log', undefined, rig.disk.mount());
    expect(segments[0]).toMatchObject({ level: 1, damage: [], sealed: true, firstOrdinal: 0 });
    expect(segments.at(-1)).toMatchObject({ level: 0, thinnedItems: 0 });
    const thinned = segments.reduce((sum, segment) => sum + segment.thinnedItems, 0);
    expect(thinned).toBe(log.status().droppedItems);
    const [summary] = await listLogs('/log', rig.disk.mount());
    expect(summary!.droppedItems).toBe(thinned);
    await log.stop(never);
  });

  it('lets a reader go on where it is, without loss and without repetition', async () => {
    const rig = new Rig();
    const log = await rig.open(OPTIONS);
    await put(log, 0, 100);
    const reader = log.reader(0);
    const seen = [...(await reader.read(600))];
    await put(log, 600, 500);
    for (let batch = await reader.read(600); batch.length > 0; batch = await reader.read(600)) seen.push(...batch);
    await reader.close();
    const offsets = seen.map(({ offset }) => offset);
    expect(offsets).toEqual([...new Set(offsets)].sort((a, b) => a - b));
    const left = await all(log, seen[3]!.offset);
    expect(offsets.slice(-left.length)).toEqual(left.map(({ offset }) => offset));
    await log.stop(never);
  });

  it('drops the oldest where nothing can be thinned any more', async () => {
    const rig = new Rig();
    const stubborn = { ...listThinner, thin: () => undefined };
    const log = await rig.open({ ...OPTIONS, thinner: stubborn });
    await put(log, 0, 500);
    const offsets = (await all(log)).map(({ offset }) => offset);
    expect(offsets).toEqual(range(500 - offsets.length, 500));
    expect(log.status().droppedItems).toBe((500 - offsets.length) * 6);
    expect(Object.values(log.status().droppedBySeries)).toHaveLength(3);
    await log.stop(never);
  });

  it('takes no more room than one segment while it rewrites, and leaves nothing of it behind', async () => {
    const rig = new Rig();
    let most = 0;
    rig.disk.delay = async () => {
      const logs = rig.disk.paths().filter((path) => /\.log(\.thin)?$/.test(path));
      most = Math.max(
        most,
        logs.reduce((sum, path) => sum + rig.disk.content(path).length, 0),
      );
    };
    const log = await rig.open(OPTIONS);
    await put(log, 0, 400);
    expect(most).toBeLessThanOrEqual(65_536 + 4096);
    expect(rig.disk.paths().filter((path) => path.endsWith(THINNED_SUFFIX))).toEqual([]);
    await log.stop(never);
  });

  it('neither loses nor counts anything twice when the power goes at any call of a rewrite', async () => {
    for (let cut = 0; cut < 25; cut++) {
      const rig = new Rig();
      const log = await rig.open(OPTIONS);
      await put(log, 0, 240);
      const before = await all(log);
      let calls = 0;
      let isRewriting = false;
      rig.disk.delay = async (_call, path) => {
        isRewriting ||= path.endsWith(THINNED_SUFFIX);
        if (isRewriting && calls++ === cut) rig.disk.cutPower();
      };
      log.append(listPayload(range(1440, 1446), 4000), 6);
      log.append(listPayload(range(1446, 1452), 4000), 6);
      const commit = log.commit().catch(() => 'stopped');
      while (calls <= cut && rig.disk.paths().length > 0 && !(await settled(commit)))
        await new Promise((resolve) => setImmediate(resolve));
      rig.disk.delay = () => Promise.resolve();
      rig.disk.cutPower();
      await log.stop(AbortSignal.abort());
      const again = await rig.open(OPTIONS);
      const after = await all(again);
      const offsets = new Set(after.map(({ offset }) => offset));
      for (const record of before) {
        const left = [0, 1, 2, 3].map((level) => listThinner.thin(record.payload, level) ?? record);
        const found = after.find(({ offset }) => offset === record.offset);
        expect(left.map(({ items }) => items)).toContain(found?.items ?? 0);
        if (!offsets.has(record.offset)) expect(left.some(({ items }) => items === 0)).toBe(true);
      }
      const { keptItems, droppedItems, damagedItems, appendedItems } = again.status();
      expect(keptItems, `cut ${cut}`).toBe(after.reduce((sum, { items }) => sum + items, 0));
      expect({ sum: keptItems + droppedItems, damagedItems }, `cut ${cut}`).toEqual({
        sum: appendedItems,
        damagedItems: 0,
      });
      expect(rig.disk.paths().filter((path) => path.endsWith(THINNED_SUFFIX))).toEqual([]);
      await again.stop(never);
    }
  });

  it('keeps the file and drops the oldest where the disk refuses the rewrite', async () => {
    const rig = new Rig();
    const log = await rig.open(OPTIONS);
    rig.disk.fault = (_call, path) => (path.endsWith(THINNED_SUFFIX) ? 'EIO' : undefined);
    await put(log, 0, 400);
    expect(log.status().trouble).toContain('cannot thin');
    const offsets = (await all(log)).map(({ offset }) => offset);
    expect(offsets).toEqual(range(400 - offsets.length, 400));
    rig.disk.fault = () => undefined;
    await put(log, 2400, 200);
    expect(log.status().trouble).toBeUndefined();
    await log.stop(never);
  });

  it('needs to be told what is in a record', async () => {
    await expect(new Rig().open({ whenFull: 'thin' })).rejects.toThrow('that thins what it holds');
  });
});

async function settled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}
