import { describe, expect, test } from 'vitest';
import type { AlarmEvent } from '../../../gateway/core/result.ts';
import { ManualClock } from '../../manual-clock.ts';
import { type Box, newBox, START } from './box.ts';

const HOUR_MS = 3_600_000;
/** When a box is switched on. */
const ON = START + 600_000;

/** A box that wants to hear of every series within ten seconds. */
async function attentiveBox(): Promise<Box> {
  const box = await newBox();
  box.detect = [
    { series: '*', detector: 'heartbeat', options: { afterMs: 10_000 }, alarm: { severity: 'critical', holdMs: 0 } },
  ];
  await box.boot();
  return box;
}

/** A reading a second of a device without a clock, while the clock goes on. */
async function sendFor(box: Box, seconds: number, metric = 'b'): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    box.send({ metric, value: 1, time: undefined });
    await box.acknowledged();
    await box.clock.advance(1_000);
  }
}

function steps(box: Box): string[] {
  return [...box.latest().values()]
    .filter((result): result is AlarmEvent => (result as { kind?: string }).kind === 'alarm')
    .map(({ state, series, time }) => `${series.metric} ${state} ${(time - ON) / 1_000}`);
}

describe('silence', () => {
  test('is told when nothing else comes, and ends with the next reading', async () => {
    const box = await attentiveBox();
    await sendFor(box, 5);
    await box.clock.advance(60_000);
    await sendFor(box, 1);
    await box.clock.advance(5_000);
    expect(steps(box)).toEqual(['b cleared 65', 'b raised 14']);
    await box.stop();
  });

  test('is told again under the same identity by a process that comes after a crash', async () => {
    const box = await attentiveBox();
    await sendFor(box, 5);
    await box.clock.advance(30_000);
    const before = steps(box);
    await box.crash();
    await box.clock.advance(20_000);
    expect(steps(box)).toEqual(before);
    await sendFor(box, 2);
    expect(steps(box)).toEqual(['b cleared 55', ...before]);
    await box.stop();
  });

  test.each([
    { what: 'the process was down for an hour', downMs: HOUR_MS, setMs: 0, isNewBoot: false },
    { what: 'the box was', downMs: HOUR_MS, setMs: 0, isNewBoot: true },
    { what: 'the process was, and its clock was set ahead', downMs: HOUR_MS, setMs: HOUR_MS, isNewBoot: false },
    { what: 'the process was, and its clock was set back', downMs: HOUR_MS, setMs: -3 * HOUR_MS, isNewBoot: false },
  ])(
    'is nobody’s while $what; twice, so that the journal is replayed over it',
    async ({ downMs, setMs, isNewBoot }) => {
      const box = await attentiveBox();
      // Long enough for a checkpoint, which holds a moment by both clocks.
      await sendFor(box, 15);
      for (const round of [1, 2]) {
        await box.die(isNewBoot ? 1_000 : undefined);
        if (isNewBoot) box.bootId = `boot ${round}`;
        await box.clock.advance(downMs);
        if (setMs !== 0 && round === 1) box.clock.jump(setMs);
        await box.boot();
        await sendFor(box, 5);
      }
      expect(steps(box)).toEqual([]);
      // But who does not come again is silent from then on.
      await box.clock.advance(30_000);
      expect(steps(box).length).toBe(1);
      await box.stop();
    },
  );

  test('of a series that does not come again after a restart is told ten seconds after it', async () => {
    const box = await attentiveBox();
    await sendFor(box, 2, 'a');
    await sendFor(box, 3, 'b');
    await box.die();
    await box.clock.advance(HOUR_MS);
    await box.boot();
    const downS = 5 + HOUR_MS / 1_000;
    await sendFor(box, 30, 'b');
    expect(steps(box)).toEqual([`a raised ${downS + 10}`]);
    await box.stop();
  });
});

test('while nobody knows what time it is, and readings are kept aside for that, nobody is silent', async () => {
  const box = await newBox();
  box.detect = [
    { series: '*', detector: 'heartbeat', options: { afterMs: 10_000 }, alarm: { severity: 'critical', holdMs: 0 } },
  ];
  box.clock = new ManualClock(START, 0);
  await box.boot();
  await sendFor(box, 15);
  // Another boot of the box: its clock is not synchronised yet.
  await box.die(20_000);
  box.bootId = 'another boot';
  box.ask = async () => ({ state: 'unsynchronised', source: 'timedatectl' });
  await box.boot();
  await sendFor(box, 60);
  expect(box.gateway.status().clock).toMatchObject({ state: 'waiting', provisionalReadings: 60 });
  box.ask = async () => ({ state: 'synchronised', source: 'timedatectl' });
  await sendFor(box, 30);
  expect(box.gateway.status().clock).toMatchObject({ state: 'synchronised', provisionalReadings: 0 });
  expect(steps(box)).toEqual([]);
  await box.clock.advance(30_000);
  expect(steps(box).length).toBe(1);
  await box.stop();
});
