import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { periodically } from '../base/periodically.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/telemetry.ts';

/** Size of V8's nursery at which it grows no more, in bytes. Beyond, it made a gateway no faster, and it is never given back under load. */
export const LARGE_NURSERY_BYTES = 32 * 1024 * 1024;
const LOOK_EVERY_MS = 100;

/** What is seen of the nursery, and how its growth is set. */
export interface Nursery {
  sizeBytes(): number;
  /** By how much it grows where it is too small for the load: 1 is not at all. */
  setGrowth(factor: 1 | 2): void;
}

/** The nursery of this process. */
export const nurseryOfProcess: Nursery = {
  sizeBytes: () => getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0,
  setGrowth: (factor) => setFlagsFromString(`--semi-space-growth-factor=${factor}`),
};

/**
 * Lets the nursery grow with the load, which is worth its memory up to a point, and no further: V8 would take three times 64 MB on a box
 * with some memory. Resolves when `signal` aborts.
 */
export async function boundNursery(nursery: Nursery, clock: Clock, logger: Logger, signal: AbortSignal): Promise<void> {
  let growth: 1 | 2 | undefined;
  const look = () => {
    const wanted = nursery.sizeBytes() < LARGE_NURSERY_BYTES ? 2 : 1;
    if (wanted !== growth) nursery.setGrowth(wanted);
    growth = wanted;
  };
  look();
  await periodically(clock, LOOK_EVERY_MS, signal, look, (error) =>
    logger.error({ error }, 'cannot bound the nursery'),
  );
}
