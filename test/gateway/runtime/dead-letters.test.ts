import { expect, test } from 'vitest';
import type { Rejected } from '../../../gateway/core/intake.ts';
import { DeadLetters } from '../../../gateway/runtime/dead-letters.ts';
import { ManualClock } from '../../manual-clock.ts';
import { MemoryLog } from '../../memory-log.ts';

const never = new AbortController().signal;

async function everything(letters: DeadLetters): Promise<Rejected[]> {
  const found: Rejected[] = [];
  await letters.readAtStart(0, never, (letter) => {
    if (letter instanceof Error) throw letter;
    found.push(letter);
  });
  return found;
}

function total(letters: readonly Rejected[]): number {
  return letters.reduce((sum, { times = 1 }) => sum + times, 0);
}

test('of a flood for one reason some are kept, and the number of the others; every kind is counted for itself', async () => {
  const log = new MemoryLog();
  const letters = new DeadLetters(log, new ManualClock());
  for (let i = 0; i < 5000; i++) letters.addReading('floor', `sensors/${i}`, 'no room', Buffer.from(`${i}`));
  for (let i = 0; i < 300; i++) letters.addReading('floor', 's', 'too hot', Buffer.from('x'), i % 2 ? 'a' : 'b');
  for (let i = 0; i < 3; i++) letters.addReading('hall', 's', 'no room', Buffer.from('x'));
  await letters.commit();
  const found = await everything(letters);
  const noRoom = found.filter(({ origin, reason }) => origin === 'floor' && reason === 'no room');
  expect(noRoom).toHaveLength(101);
  expect(noRoom.at(-1)).toMatchObject({
    times: 4900,
    subject: 'sensors/100',
    payload: Uint8Array.from(Buffer.from('100')),
  });
  for (const device of ['a', 'b']) expect(total(found.filter((letter) => letter.device === device))).toBe(150);
  expect(total(found.filter(({ origin }) => origin === 'hall'))).toBe(3);
  // The items of the log count the readings, so that those of dropped letters are known.
  expect(log.records.reduce((sum, { items }) => sum + items, 0)).toBe(5303);
});

test('after a commit a kind begins anew', async () => {
  const letters = new DeadLetters(new MemoryLog(), new ManualClock());
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 90; i++) letters.addReading('floor', 's', 'no room', Buffer.from('x'));
    await letters.commit();
  }
  const found = await everything(letters);
  expect(found).toHaveLength(270);
  expect(found.every(({ times }) => times === undefined)).toBe(true);
});

test('what a checkpoint counts lies before the offset that it takes, repeats included', async () => {
  const letters = new DeadLetters(new MemoryLog(), new ManualClock());
  const flood = () => {
    for (let i = 0; i < 500; i++) letters.addReading('floor', 's', 'no room', Buffer.from('x'));
  };
  flood();
  const offset = letters.settle().offset;
  flood();
  await letters.commit();
  const behind: Rejected[] = [];
  await letters.readAtStart(offset, never, (letter) => behind.push(letter as Rejected));
  expect(total(behind)).toBe(500);
  expect(total(await everything(letters))).toBe(1000);
});

test('its items are the readings that sources have refused: results of sinks are none', async () => {
  const log = new MemoryLog();
  const letters = new DeadLetters(log, new ManualClock());
  letters.addResult('influx', 'd/m', 'field type conflict', Buffer.from('{}'));
  letters.addReading('floor', 's', 'no room', Buffer.from('x'));
  letters.addResult('influx', 'd/m', 'field type conflict', Buffer.from('{}'));
  expect(letters.settle()).toEqual({ offset: 3, items: 1 });
  await letters.commit();
  expect((await letters.newest(9)).map(({ origin }) => origin)).toEqual(['influx', 'floor', 'influx']);
});

test('a flood of ever new reasons takes no more memory than a thousand kinds, and every reading of it is counted', async () => {
  const log = new MemoryLog();
  const letters = new DeadLetters(log, new ManualClock());
  for (let i = 0; i < 5000; i++) letters.addReading('floor', 's', `${i} is no number`, Buffer.from('x'), `device-${i}`);
  letters.addReading('hall', 's', 'too hot', Buffer.from('x'));
  await letters.commit();
  const found = await everything(letters);
  expect(found).toHaveLength(1002);
  expect(found.slice(-2)).toMatchObject([
    { origin: 'floor', times: 4000, reason: 'one of more than 1000 kinds in one moment: 1000 is no number' },
    { origin: 'hall', times: 1 },
  ]);
  expect(letters.settle().items).toBe(5001);
});

test('large payloads are kept up to 16 MiB in one moment, the others are counted', async () => {
  const log = new MemoryLog();
  const letters = new DeadLetters(log, new ManualClock());
  const payload = Buffer.alloc(10_000);
  for (let i = 0; i < 10_000; i++) letters.addReading('floor', 's', `reason ${i % 500}`, payload);
  await letters.commit();
  expect(log.records.reduce((sum, { payload: { length } }) => sum + length, 0)).toBeLessThan(20 * 1024 * 1024);
  expect(letters.settle().items).toBe(10_000);
  expect(total(await everything(letters))).toBe(10_000);
});

test('what was only counted is appended once, also where the log refuses a part of it', async () => {
  const log = new MemoryLog();
  const letters = new DeadLetters(log, new ManualClock());
  for (const reason of ['too hot', 'too cold'])
    for (let i = 0; i < 110; i++) letters.addReading('floor', 's', reason, Buffer.from('x'));
  const append = log.append.bind(log);
  let appends = 0;
  log.append = (payload, items) => {
    if (++appends === 2) throw new Error('64 MiB wait for the disk already');
    return append(payload, items);
  };
  expect(() => letters.commit()).toThrow('64 MiB');
  await letters.commit();
  expect(log.status().appendedItems).toBe(220);
  expect(total(await everything(letters))).toBe(220);
});

test('a letter that cannot be understood is shown as it is, and why, among the others', async () => {
  const log = new MemoryLog();
  const letters = new DeadLetters(log, new ManualClock());
  letters.addReading('floor', 's', 'no room', Buffer.from('x'));
  for (const broken of ['no letter', '\x04\0\0\0null']) log.append(Buffer.from(broken), 1);
  await letters.commit();
  const newest = await letters.newest(9);
  expect(newest.map(({ origin }) => origin)).toEqual(['(dead letters)', '(dead letters)', 'floor']);
  expect(newest[0]).toMatchObject({ subject: 'dead letter 2', reason: 'cannot be understood: it names no origin' });
  expect(newest[1]).toMatchObject({ payload: Uint8Array.from(Buffer.from('no letter')) });
});

test('the newest letters are found behind a gap in the numbers of their records', async () => {
  const log = new MemoryLog();
  const letters = new DeadLetters(log, new ManualClock());
  for (const reason of ['first', 'second', 'third', 'fourth'])
    letters.addReading('floor', 's', reason, Buffer.from('x'));
  await letters.commit();
  for (const offset of [2, 3]) log.damage(offset);
  expect((await letters.newest(2)).map(({ reason }) => reason)).toEqual(['second', 'first']);
});
