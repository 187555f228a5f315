import type { EpochMs } from '../gateway/core/clock.ts';
import type { PlannedMaintenance } from '../gateway/core/maintenance.ts';
import type {
  DerivationConfiguration,
  JoinConfiguration,
  ReductionConfiguration,
  RollupConfiguration,
  SeriesConfiguration,
  TableConfiguration,
  WindowConfiguration,
} from './analysis-configuration.ts';
import type { AlarmsConfiguration, DetectConfiguration, TogetherConfiguration } from './detect-configuration.ts';
import type { SinkConfiguration } from './sink-configuration.ts';
import type { SourceConfiguration } from './source-configuration.ts';
import type { HostPort } from './units.ts';

/**
 * The configuration as the gateway uses it: every default filled in, durations in milliseconds, sizes in bytes, addresses
 * taken apart, secrets read, paths absolute. What each key means stands in `schema.ts`, which the file follows.
 */
export interface Configuration {
  readonly gateway: { readonly name: string; readonly tags: Readonly<Record<string, string>> };
  readonly storage: StorageConfiguration;
  readonly time: {
    readonly outOfOrdernessMs: number;
    /** Up to this it is learnt; the same where nothing is. */
    readonly maxOutOfOrdernessMs: number;
    readonly idleTimeoutMs: number;
    readonly maxFutureMs: number;
    readonly earliest: EpochMs;
    readonly sync: ClockSync;
    readonly syncWaitMs: number;
  };
  readonly sources: readonly SourceConfiguration[];
  readonly series: readonly SeriesConfiguration[];
  readonly windows: readonly WindowConfiguration[];
  readonly rollups: readonly RollupConfiguration[];
  readonly reduce: readonly ReductionConfiguration[];
  readonly tables: readonly TableConfiguration[];
  readonly derive: readonly DerivationConfiguration[];
  readonly join: readonly JoinConfiguration[];
  readonly detect: readonly DetectConfiguration[];
  readonly together: readonly TogetherConfiguration[];
  readonly alarms: AlarmsConfiguration;
  readonly maintenance: readonly PlannedMaintenance[];
  readonly sinks: readonly SinkConfiguration[];
  readonly api: { readonly listen: HostPort; readonly allowAnonymous: boolean };
  readonly log: { readonly level: LogLevel };
}

/** Whether the clock of the box must be synchronised before it is believed: if a time service is at work, always, or never. */
export type ClockSync = 'auto' | 'required' | 'ignore';

/** From most to least talkative. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What a power cut may cost: nothing, the last second, or whatever the system had not written. */
export type SyncPolicy = 'always' | '1s' | 'never';

/** What a full outbox does. */
export type WhenFull = 'block' | 'drop-oldest' | 'drop-newest' | 'thin';

/** Where data lies on the box and how much of it. */
export interface StorageConfiguration {
  /** Absolute. */
  readonly path: string;
  readonly sync: SyncPolicy;
  readonly keepFreeBytes: number;
  readonly journal: { readonly maxBytes: number };
  readonly outbox: { readonly maxBytes: number; readonly maxAgeMs: number; readonly whenFull: WhenFull };
  readonly alarms: { readonly maxBytes: number };
  readonly history: { readonly maxBytes: number; readonly maxAgeMs: number };
  readonly checkpointEveryMs: number;
  readonly maxSeries: number;
  /** Least number of last readings among which a redelivered one is recognised. */
  readonly rememberedReadings: number;
}
