import { expect, test } from 'vitest';
import type { TimeCommand } from '../../../gateway/runtime/command.ts';
import { heldBack } from '../../../gateway/runtime/held-back.ts';
import { ManualClock } from '../../manual-clock.ts';

/** Holds back for so long; what was told when it was over. */
async function toldAfter(forMs: number, judgesSilence: boolean): Promise<readonly TimeCommand[]> {
  const told: TimeCommand[] = [];
  const clock = new ManualClock(1_000_000);
  const { promise, resolve } = Promise.withResolvers<void>();
  const backPressure = heldBack(() => promise, {
    clock,
    analysis: { judgesSilence },
    tell: (command) => told.push(command),
  });
  const over = backPressure();
  await clock.advance(forMs);
  expect(told).toEqual([]);
  resolve();
  await over;
  return told;
}

test('who judges silence is told when sources were held back, and from when they are heard again', async () => {
  expect(await toldAfter(5_000, true)).toEqual([{ type: 'listening-again', time: 1_005_000 }]);
});

test('nobody is told of less than a second, or where nobody asks', async () => {
  expect(await toldAfter(999, true)).toEqual([]);
  expect(await toldAfter(5_000, false)).toEqual([]);
});

test('where nothing holds back there is nothing to wait for', () => {
  const parts = { clock: new ManualClock(0), analysis: { judgesSilence: true }, tell: () => expect.unreachable() };
  expect(heldBack(() => undefined, parts)()).toBeUndefined();
});
