import { expect, test } from 'vitest';
import type { Log } from '../../../gateway/core/log.ts';
import { Progress } from '../../../gateway/runtime/progress.ts';
import { ManualClock } from '../../manual-clock.ts';
import { MemoryLog } from '../../memory-log.ts';

function scene() {
  const clock = new ManualClock();
  const log: Log = new MemoryLog();
  const status = log.status.bind(log);
  const state = { trouble: undefined as string | undefined };
  log.status = () => ({ ...status(), trouble: state.trouble });
  const admission = { isIdle: true, batches: 0 };
  const progress = new Progress({ clock, logs: [log], admission });
  /** Looks each second for a minute; the last answer. */
  const afterMinute = async (each: () => void = () => undefined) => {
    for (let second = 0; second < 60; second++) {
      each();
      await clock.advance(1_000);
      progress.stuckMs();
    }
    return progress.stuckMs();
  };
  return { admission, state, afterMinute };
}

test('a gateway with nothing to do is not stuck, however long', async () => {
  expect(await scene().afterMinute()).toBe(0);
});

test('a gateway that is never idle but sees its batches through is not stuck', async () => {
  const { admission, afterMinute } = scene();
  admission.isIdle = false;
  expect(await afterMinute(() => admission.batches++)).toBe(0);
});

test('a batch that does not become durable, with a disk that tells nothing, is stuck', async () => {
  const { admission, afterMinute } = scene();
  admission.isIdle = false;
  expect(await afterMinute()).toBeGreaterThanOrEqual(59_000);
});

test('waiting for a disk that is full or failing, or for a sink, is a reason', async () => {
  const { admission, state, afterMinute } = scene();
  admission.isIdle = false;
  await afterMinute();
  state.trouble = 'no space left on device';
  expect(await afterMinute()).toBe(0);
  state.trouble = undefined;
  expect(await afterMinute()).toBeGreaterThanOrEqual(59_000);
});
