import { periodically } from '../base/periodically.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/telemetry.ts';
import type { GatewayStatus } from '../core/view.ts';
import type { LiveFeed } from './live-feed.ts';
import type { RecentReadings } from './recent-readings.ts';

const TICK_EVERY_MS = 1_000;
/** A flood of new series fills a small heap in half a second; a look takes some ten microseconds. */
const MEMORY_EVERY_MS = 50;
const FREE_EVERY_MS = 1_000;
const RATES_EVERY_MS = 2_000;
const LIVE_EVERY_MS = 250;
const STATUS_EVERY_MS = 2_000;
const TABLES_EVERY_MS = 5_000;
/** Readings of one series in one live event at the most. */
const LIVE_READINGS = 50;

/** What has to be done again and again while a gateway runs. */
export interface House {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly recent: RecentReadings;
  readonly feed: LiveFeed;
  /** Milliseconds from one checkpoint to the next. */
  readonly checkpointEveryMs: number;
  /** The start had something to replay: the first checkpoint is written at once. */
  readonly hasReplayed: boolean;
  /** A second has passed. */
  tick(): void;
  lookAtMemory(): void;
  status(): GatewayStatus;
  /** Frees what every sink has taken. */
  freeResults(): Promise<void>;
  /** Looks whether a file of a table has changed. */
  lookAtTables(): Promise<void>;
  writeCheckpoint(): Promise<void>;
}

/** Does it, each in its time, until `signal` aborts. Resolves when the last run of each has ended; what fails is said in the log. */
export async function keepHouse(house: House, signal: AbortSignal): Promise<void> {
  const { clock, logger, recent, feed } = house;
  const failed = (what: string) => (error: unknown) => logger.error({ error: messageOf(error) }, `cannot ${what}`);
  const every = (pauseMs: number, what: string, task: () => void | Promise<void>) =>
    periodically(clock, pauseMs, signal, task, failed(what));
  // One after the other: two checkpoints at a time would take one place.
  const keepCheckpoints = async () => {
    const what = 'write a checkpoint';
    // A gateway that crashes again and again must not have more to replay each time.
    if (house.hasReplayed) await house.writeCheckpoint().catch(failed(what));
    await every(house.checkpointEveryMs, what, () => house.writeCheckpoint());
  };
  recent.beginRates();
  let measuredAt = clock.monotonicMs();
  await Promise.all([
    every(TICK_EVERY_MS, 'keep the clock', () => house.tick()),
    every(MEMORY_EVERY_MS, 'look at the memory', () => house.lookAtMemory()),
    every(RATES_EVERY_MS, 'measure rates', () => {
      const now = clock.monotonicMs();
      recent.measureRates(now - measuredAt);
      measuredAt = now;
    }),
    every(LIVE_EVERY_MS, 'publish readings', () => {
      if (!feed.isWatched) return;
      const readings = recent.takeChanges(LIVE_READINGS);
      if (readings.length > 0) feed.publish({ topic: 'readings', data: readings });
    }),
    every(STATUS_EVERY_MS, 'publish the status', () => {
      if (feed.isWatched) feed.publish({ topic: 'status', data: house.status() });
    }),
    // Not by the checkpoint, which waits for room where the outbox is full.
    every(FREE_EVERY_MS, 'free what the sinks have taken', () => house.freeResults()),
    every(TABLES_EVERY_MS, 'look at the tables', () => house.lookAtTables()),
    keepCheckpoints(),
  ]);
}
