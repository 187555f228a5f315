import { expect, test } from 'vitest';
import { makeRoomFor } from '../../../gateway/runtime/room-at-start.ts';
import { ManualClock, settle } from '../../manual-clock.ts';

/** Counts what is asked of those who make room. */
function makersOn(clock: ManualClock) {
  const asked = { starts: 0, frees: 0 };
  const makers = {
    clock,
    startForwarders: async () => void asked.starts++,
    freeResults: async () => void asked.frees++,
  };
  return { asked, makers };
}

const never = new AbortController().signal;

test('a start that needs no room begins no sink early', async () => {
  const { asked, makers } = makersOn(new ManualClock());
  await makeRoomFor(Promise.resolve(), makers, never);
  expect(asked).toEqual({ starts: 0, frees: 0 });
});

test('while work waits the sinks begin once, and what they have taken is freed until there is room', async () => {
  const clock = new ManualClock();
  const { asked, makers } = makersOn(clock);
  const { promise: work, resolve: done } = Promise.withResolvers<void>();
  let isOver = false;
  const waiting = makeRoomFor(work, makers, never).then(() => {
    isOver = true;
  });
  await clock.advance(3_500);
  expect([asked, isOver]).toEqual([{ starts: 1, frees: 3 }, false]);
  done();
  await waiting;
  await clock.advance(5_000);
  expect(asked).toEqual({ starts: 1, frees: 3 });
});

test('work that fails fails the start, and an aborted start waits for room no longer', async () => {
  const clock = new ManualClock();
  const { makers } = makersOn(clock);
  const error = new Error('no space');
  await expect(makeRoomFor(Promise.reject(error), makers, never)).rejects.toBe(error);
  const aborter = new AbortController();
  const waiting = makeRoomFor(new Promise<void>(() => undefined), makers, aborter.signal);
  const outcome = expect(waiting).rejects.toThrow('stopped');
  await settle();
  aborter.abort(new Error('stopped'));
  await clock.advance(2_500);
  await outcome;
});
