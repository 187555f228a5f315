import { expect, test, vi } from 'vitest';
import { BackPressure } from '../../../devices/opcua/back-pressure.ts';

/** A subscription that takes its time to answer, and what it was asked. */
function subscription(answer: () => Promise<{ isBad(): boolean; name: string }>) {
  const asked: boolean[] = [];
  return {
    asked,
    setPublishingMode: ((enabled: boolean) => {
      asked.push(enabled);
      return answer();
    }) as never,
  };
}

const good = async () => ({ isBad: () => false, name: 'Good' });

test('publishing stops above the bound and goes on below half of it, with one request at a time', async () => {
  const counts = { unacknowledged: 0 };
  const server = subscription(good);
  const pressure = new BackPressure(server, counts, () => expect.unreachable());
  pressure.add(50_000);
  expect(server.asked).toEqual([]);
  pressure.add(1);
  pressure.add(10_000);
  expect(server.asked).toEqual([false]);
  await vi.waitUntil(() => server.asked.length === 1);
  pressure.remove(30_000);
  pressure.remove(5_002);
  await vi.waitUntil(() => server.asked.length === 2);
  expect(server.asked).toEqual([false, true]);
  expect(counts.unacknowledged).toBe(24_999);
});

test('a request that is lost is told, and made again at the next check', async () => {
  const failures: string[] = [];
  let broken = true;
  const server = subscription(async () => {
    if (broken) throw new Error('connection lost');
    return { isBad: () => false, name: 'Good' };
  });
  const pressure = new BackPressure(server, { unacknowledged: 0 }, (reason) => failures.push(reason));
  pressure.add(60_000);
  await vi.waitUntil(() => failures.length === 1);
  expect(failures[0]).toContain('connection lost');
  broken = false;
  pressure.check();
  await vi.waitUntil(() => server.asked.length === 2);
  expect(server.asked).toEqual([false, false]);
});
