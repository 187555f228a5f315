import type { SeriesRegistry } from '../base/series-registry.ts';
import type { Log } from '../core/log.ts';
import type { Bound } from '../core/memory.ts';
import type { Source } from '../core/source.ts';
import type { Deriver, Stage } from '../core/stage.ts';
import type { Deduplicator } from './analysis.ts';
import type { ClockKeeper } from './clock-keeper.ts';
import type { FateMemory } from './fate-memory.ts';
import { type Ledger, MAX_GROUPS } from './ledger.ts';
import { MAX_PROVISIONAL_READINGS } from './provisional-readings.ts';
import type { RecentReadings } from './recent-readings.ts';
import { MAX_UNSYNCED_RESULTS, type ResultLogs } from './result-logs.ts';

/** Whoever holds memory in proportion to load. */
export interface MemoryHolders {
  readonly sources: readonly Source[];
  readonly journal: Log;
  readonly alarmOutbox: Log;
  readonly outbox: Log;
  readonly deadLetterLog: Log;
  readonly results: ResultLogs;
  readonly registry: SeriesRegistry;
  readonly deduplicator: Deduplicator;
  readonly recent: RecentReadings;
  readonly ledger: Ledger;
  readonly stages: readonly Pick<Stage | Deriver, 'bounds'>[];
  readonly clockKeeper: Pick<ClockKeeper, 'status'>;
  /** What came in while the journal was being synced. */
  readonly admission: { readonly waiting: { readonly bytes: number; readonly maxBytes: number } };
  readonly fates: FateMemory;
  /** Notes of the sources about messages under way. */
  readonly marks: { readonly count: number; readonly max: number };
}

/** What every part holds in memory, and the most it can: nothing in the gateway grows with load beyond these. */
export function memoryBounds(holders: MemoryHolders): readonly Bound[] {
  const { sources, results, registry, deduplicator, recent, ledger, stages, marks, admission } = holders;
  const { journal, alarmOutbox, outbox, deadLetterLog } = holders;
  const remembered = 2 * deduplicator.capacity;
  return [
    ...sources.flatMap(boundsOf),
    {
      name: 'journal: waits for its turn',
      used: admission.waiting.bytes,
      max: admission.waiting.maxBytes,
      unit: 'bytes',
    },
    pending('journal', journal),
    pending('alarms', alarmOutbox),
    pending('outbox', outbox),
    pending('dead letters', deadLetterLog),
    { name: 'results on their way to the disk', used: results.unsynced, max: MAX_UNSYNCED_RESULTS, unit: 'results' },
    { name: 'series', used: registry.count, max: registry.max, unit: 'series' },
    { name: 'derived series', used: registry.derivedCount, max: registry.max, unit: 'series' },
    ...stages.flatMap((stage) => stage.bounds?.(registry.max) ?? []),
    {
      name: 'waiting for the clock',
      used: holders.clockKeeper.status().provisionalReadings,
      max: MAX_PROVISIONAL_READINGS,
      unit: 'readings',
    },
    { name: 'known for duplicates', used: deduplicator.remembered, max: remembered, unit: 'readings' },
    { name: 'last raw readings', used: recent.held, max: recent.maxHeld(registry.max), unit: 'readings' },
    ...holders.fates.bounds(),
    { name: 'devices in the ledger', used: ledger.groups().size, max: MAX_GROUPS + 2, unit: 'devices' },
    { name: 'QoS 2 messages under way', used: marks.count, max: marks.max, unit: 'messages' },
  ];
}

function boundsOf(source: Source): readonly Bound[] {
  const { bounds = [] } = source.status();
  return bounds.map((bound) => ({ ...bound, name: `${source.name}: ${bound.name}` }));
}

function pending(name: string, log: Log): Bound {
  const { pendingBytes, maxPendingBytes } = log.status();
  return { name: `${name}: on its way to the disk`, used: pendingBytes, max: maxPendingBytes, unit: 'bytes' };
}
