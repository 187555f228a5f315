import type { Clock } from '../core/clock.ts';

/** How often room for results is made while a start waits for it, in milliseconds. */
const ROOM_EVERY_MS = 1_000;

/** Who can make room in a full outbox. */
export interface RoomMakers {
  readonly clock: Clock;
  readonly startForwarders: () => Promise<void>;
  /** Gives up results that all sinks have taken. */
  readonly freeResults: () => Promise<void>;
}

/**
 * Waits for work of the start that may wait for room in a full outbox: where it takes long, the sinks begin before it is done, as they
 * alone make some. Rejects as the work does, and where `signal` aborts.
 */
export async function makeRoomFor(work: Promise<void>, makers: RoomMakers, signal: AbortSignal): Promise<void> {
  const { clock, startForwarders, freeResults } = makers;
  const over = new AbortController();
  void Promise.allSettled([work]).then(() => over.abort());
  await clock.sleep(ROOM_EVERY_MS, over.signal);
  if (!over.signal.aborted) await startForwarders();
  while (!over.signal.aborted) {
    signal.throwIfAborted();
    await freeResults();
    await clock.sleep(ROOM_EVERY_MS, over.signal);
  }
  await work;
}
