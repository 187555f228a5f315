import { expect, test } from 'vitest';
import { Quality } from '../../../gateway/core/quality.ts';
import type { Reading } from '../../../gateway/core/reading.ts';
import { decodeCommand } from '../../../gateway/runtime/command.ts';
import { JournalRecords } from '../../../gateway/runtime/journal-records.ts';
import { decodeReadings, RecordKind } from '../../../gateway/runtime/reading-codec.ts';

const MIB = 1024 * 1024;
const LARGE = { maxBytes: 1024 * MIB, maxPendingBytes: 64 * MIB };
const series = { id: 0, key: 'd/m', device: 'd', metric: 'm', tags: {}, unit: undefined };

function reading(value: number | string): Reading {
  return { series, source: 's', value, quality: Quality.good, sourceTime: 1, receiveTime: 2 };
}

/** The values in the bytes of a record. */
function valuesIn(payload: Uint8Array): readonly unknown[] {
  return decodeReadings(payload, () => series).readings.map(({ value }) => value);
}

test('what is closed early keeps its bytes, whatever comes behind it; a command stands between', () => {
  const records = new JournalRecords(LARGE);
  records.add(reading(1));
  records.command({ type: 'time-passed', time: 3 });
  records.add(reading(2));
  const taken = records.take(true);
  expect(records.isEmpty).toBe(true);
  records.add(reading(9));
  expect(taken.map(({ payload }) => payload[0])).toEqual([
    RecordKind.readings,
    RecordKind.command,
    RecordKind.readings,
  ]);
  expect(taken.map(({ readings }) => readings.map(({ value }) => value))).toEqual([[1], [], [2]]);
  expect(valuesIn(taken[0]!.payload)).toEqual([1]);
  expect(decodeCommand(taken[1]!.payload)).toEqual({ type: 'time-passed', time: 3 });
  expect(valuesIn(taken[2]!.payload)).toEqual([2]);
});

test('a mark is in one record with the readings of its message, as its end', () => {
  const records = new JournalRecords(LARGE);
  records.mark({ peer: 'p', id: 1, value: 2 });
  expect(records.isEmpty).toBe(false);
  for (let i = 0; i < 300; i++) records.add(reading('x'.repeat(10_000)));
  records.endMessage();
  const [record, ...more] = records.take(false);
  expect(more).toEqual([]);
  expect(record!.readings).toHaveLength(300);
  expect(decodeReadings(record!.payload, () => series).marks).toEqual([{ peer: 'p', id: 1, value: 2 }]);
});

test('what waits is bounded: more is refused before anything of it is lost', () => {
  const records = new JournalRecords({ ...LARGE, maxPendingBytes: 8 * MIB });
  const giveALot = () => {
    for (let i = 0; i < 100; i++) records.add(reading('x'.repeat(MIB / 10)));
  };
  expect(giveALot).toThrow('bytes wait already');
  expect(records.closedBytes).toBeGreaterThan(2 * MIB);
  expect(records.closedBytes).toBeLessThanOrEqual(records.maxClosedBytes);
  expect(() => records.command({ type: 'time-passed', time: 3 })).toThrow('bytes wait already');
  const given = records.take(false).flatMap(({ payload }) => valuesIn(payload)).length;
  expect(given * 0.1).toBeGreaterThan(3.5);
  expect(records.closedBytes).toBe(0);
  records.command({ type: 'time-passed', time: 3 });
  expect(records.take(false)).toHaveLength(1);
});
