import type { SeriesRegistry } from '../base/series-registry.ts';
import type { SteadyClock } from '../base/steady-clock.ts';
import type { ConsumersOf, TapStage } from '../core/inspection.ts';
import type { Intake } from '../core/intake.ts';
import type { Log } from '../core/log.ts';
import type { MemoryProbe } from '../core/memory.ts';
import type { History, Sink } from '../core/sink.ts';
import type { Source } from '../core/source.ts';
import type { Logger } from '../core/telemetry.ts';
import type { Deduplicator } from './analysis.ts';
import type { CheckpointStore } from './checkpoint.ts';
import type { ClockTrust } from './clock-keeper.ts';
import type { ForwarderOptions } from './forwarder.ts';
import type { RecentReadings } from './recent-readings.ts';
import type { Normaliser } from './source-intake.ts';
import type { StageSet } from './stage-set.ts';
import type { TableFile } from './table-keeper.ts';

/** What a gateway is made of; the front door chooses. */
export interface GatewayParts {
  readonly name: string;
  readonly version: string;
  /** The one clock of everything that gives times to readings. */
  readonly clock: SteadyClock;
  readonly clockTrust: ClockTrust;
  readonly logger: Logger;
  readonly random: () => number;
  readonly memory: MemoryProbe;
  readonly journal: Log;
  /** Alarms, until every sink has taken them. */
  readonly alarmOutbox: Log;
  /** All other results, until every sink has taken them. */
  readonly outbox: Log;
  readonly deadLetterLog: Log;
  readonly checkpoints: CheckpointStore;
  readonly checkpointEveryMs: number;
  readonly registry: SeriesRegistry;
  readonly normaliser: Normaliser;
  readonly deduplicator: Deduplicator;
  readonly recent: RecentReadings;
  /** The longest time for which an alarm may be shelved, in milliseconds. */
  readonly maxShelvingMs: number;
  /** The longest maintenance that may be started, in milliseconds. */
  readonly maxMaintenanceMs: number;
  readonly tables: readonly TableFile[];
  /** What of the configuration can be watched: see `Taps`. */
  readonly namedStages: readonly TapStage[];
  readonly consumersOf: ConsumersOf;
  /** Makes new stages: a restart tries each checkpoint on some of its own. */
  readonly makeStages: () => StageSet;
  /** Makes the sources, each with the intake of its name. */
  readonly sources: (intake: (source: string) => Intake) => readonly Source[];
  readonly sinks: readonly { readonly sink: Sink; readonly options: ForwarderOptions }[];
  readonly history: History;
  /** The running configuration, secrets hidden. */
  readonly configuration: string;
  /** Called when the gateway cannot go on: the process has to end and be started again. */
  readonly failed: (error: unknown) => void;
}
