import { beforeEach, expect, test } from 'vitest';
import { patientDisk } from '../../../gateway/base/patient-disk.ts';
import { FaultyDisk, seededRandom } from '../../model/faulty-disk.ts';
import { LeapingClock } from '../../model/leaping-clock.ts';

let faulty: FaultyDisk;
let clock: LeapingClock;
beforeEach(() => {
  faulty = new FaultyDisk(seededRandom(1));
  clock = new LeapingClock(0);
  for (const name of ['a', 'b']) faulty.damage(`/box/${name}`, Buffer.from(name));
});

/** Everything that is asked for again, at a disk. */
async function useAll(disk: ReturnType<typeof patientDisk>): Promise<void> {
  expect((await disk.list('/box')).toSorted()).toEqual(['a', 'b']);
  const file = await disk.open('/box/a', 'read');
  expect(await file.size()).toBe(1);
  expect(await file.read(Buffer.alloc(1), 0)).toBe(1);
  await file.close();
  await disk.rename('/box/a', '/box/c');
}

test.each(['list', 'open', 'size', 'read', 'rename'] as const)(
  'asks again for a %s that is refused for two seconds',
  async (refused) => {
    faulty.fault = (call) => (call === refused && clock.monotonicMs() < 2_000 ? 'EIO' : undefined);
    await useAll(patientDisk(faulty.mount(), clock));
    expect(clock.monotonicMs()).toBeGreaterThanOrEqual(2_000);
  },
);

test('waits three seconds for each path, however often it is asked for', async () => {
  faulty.fault = (call, path) => (call === 'open' && path === '/box/a' ? 'EIO' : undefined);
  const disk = patientDisk(faulty.mount(), clock);
  for (let round = 0; round < 5; round++) await expect(disk.open('/box/a', 'read')).rejects.toThrow('EIO');
  expect(clock.monotonicMs()).toBe(3_000);
  await disk.open('/box/b', 'read');
});

test('waits half a minute for a disk that is away, however many files are asked for', async () => {
  faulty.fault = () => 'EIO';
  const disk = patientDisk(faulty.mount(), clock);
  for (let file = 0; file < 100; file++) await expect(disk.open(`/box/${file}`, 'read')).rejects.toThrow('EIO');
  expect(clock.monotonicMs()).toBeLessThan(33_000);
});

test('does not wait for what will not pass, nor where patience is over', async () => {
  await expect(patientDisk(faulty.mount(), clock).open('/box/none', 'read')).rejects.toThrow('ENOENT');
  faulty.fault = () => 'EIO';
  await expect(patientDisk(faulty.mount(), clock, () => false).list('/box')).rejects.toThrow('EIO');
  expect(clock.monotonicMs()).toBe(0);
});
