import type { EpochMs } from '../gateway/core/clock.ts';
import type { PlannedMaintenance } from '../gateway/core/maintenance.ts';
import type { Severity } from '../gateway/core/result.ts';
import type { TableContent } from '../gateway/core/table.ts';
import type { HostPort } from './units.ts';

/** Name of the source behind the HTTP routes that take line protocol. Every gateway has it, so no other source may have the name. */
export const HTTP_SOURCE = 'http';

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

/** What a sink gets first after an outage. */
export type CatchUpOrder = 'newest-first' | 'in-order';

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

/** Where readings come from; tell them apart by `type`, and MQTT by `role`. */
export type SourceConfiguration = MqttBrokerConfiguration | MqttClientConfiguration | OpcuaConfiguration;

/** The embedded broker. */
export interface MqttBrokerConfiguration {
  readonly name: string;
  readonly type: 'mqtt';
  readonly role: 'broker';
  readonly listen: HostPort;
  /** A second, encrypted port; `cert` and `key` are PEM, and must not be logged. */
  readonly tls: { readonly listen: HostPort; readonly cert: string; readonly key: string } | undefined;
  readonly users: readonly UserConfiguration[];
  /** Whether clients without a user are let in: as the file says, else true only when there are no users. */
  readonly allowAnonymous: boolean;
  readonly maxPacketBytes: number;
  readonly maxConnections: number;
  readonly readings: readonly ReadingRule[];
}

/** A user of the embedded broker, with the password in clear: it must not be logged. */
export interface UserConfiguration {
  readonly name: string;
  readonly password: string;
}

/** A client of another broker. */
export interface MqttClientConfiguration {
  readonly name: string;
  readonly type: 'mqtt';
  readonly role: 'client';
  readonly url: string;
  /** `headgate-<gateway>-<source>` where the file says nothing. */
  readonly clientId: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly qos: 0 | 1 | 2;
  readonly readings: readonly ReadingRule[];
}

/** How messages of a topic become readings. */
export interface ReadingRule {
  readonly topic: string;
  readonly template: string | undefined;
  readonly device: string | undefined;
  readonly metric: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly unit: string | undefined;
  /** At most one of the three formats is given; without any, messages are JSON as `{}` reads it. */
  readonly json: JsonPaths | undefined;
  readonly plain: true | undefined;
  readonly line: { readonly precision: LinePrecision } | undefined;
}

/** Unit of the times in line protocol. */
export type LinePrecision = 'ns' | 'us' | 'ms' | 's';

/** Unit of the times in JSON payloads. */
export type TimeUnit = 's' | 'ms' | 'us' | 'ns' | 'iso';

/**
 * Paths into a JSON payload. At most one of `value` and `values` is given; without any, a bare value, an object with a member `value`,
 * or an object of values is taken.
 */
export interface JsonPaths {
  readonly value: string | undefined;
  readonly values: string | undefined;
  readonly time: string | undefined;
  readonly timeUnit: TimeUnit;
  readonly metric: string | undefined;
  readonly device: string | undefined;
  readonly quality: string | undefined;
  /** Whether text is taken as a value. */
  readonly text: boolean;
}

/** A client of an OPC-UA server. */
export interface OpcuaConfiguration {
  readonly name: string;
  readonly type: 'opcua';
  readonly endpoint: string;
  readonly security: OpcuaSecurity;
  readonly publishingIntervalMs: number;
  readonly nodes: readonly OpcuaNode[];
}

/** How an OPC-UA connection is protected. */
export interface OpcuaSecurity {
  readonly policy: 'None' | 'Basic256Sha256' | 'Aes128_Sha256_RsaOaep' | 'Aes256_Sha256_RsaPss';
  readonly mode: 'None' | 'Sign' | 'SignAndEncrypt';
  readonly user: string | undefined;
  readonly password: string | undefined;
}

/** One node, or every variable that a browse path finds; tell them apart by `'browse' in node`. */
export type OpcuaNode = OpcuaNodeById | OpcuaBrowsePath;

/** One node by its id, as one series. */
export interface OpcuaNodeById extends OpcuaSampling {
  readonly id: string;
  readonly device: string;
  readonly metric: string;
  readonly unit: string | undefined;
}

/** Every variable below a path. */
export interface OpcuaBrowsePath extends OpcuaSampling {
  readonly browse: string;
  readonly device: string;
}

/** How the server samples a node; undefined leaves it to the source. */
export interface OpcuaSampling {
  /** Absolute, in the unit of the value. */
  readonly deadband: number | undefined;
  /** 0: as fast as the server can. */
  readonly samplingMs: number | undefined;
  readonly queueSize: number | undefined;
}

/** Unit and linear scaling of the series a pattern names: `value · scale + offset`. */
export interface SeriesConfiguration {
  readonly series: string;
  readonly unit: string | undefined;
  readonly scale: number;
  readonly offset: number;
}

/** Which stretches of event time windows take; times in milliseconds. */
export type WindowShape =
  | { readonly tumblingMs: number }
  | { readonly hoppingMs: number; readonly everyMs: number }
  | { readonly sessionGapMs: number }
  | { readonly calendar: 'day' | 'week' | 'month' | 'year'; readonly timeZone: string };

/**
 * Windows that readings begin and end: so many of them, of which one begins with each `every`-th; those while a condition holds; or, with
 * each reading, what came in so many milliseconds before it.
 */
export type OrderedShape =
  | { readonly count: number; readonly every: number | undefined }
  | { readonly while: StateCondition }
  | { readonly slidingMs: number };

/** What a value must be for a window to begin and to go on; `until` is where it ends instead of at the first bound. */
export type StateCondition =
  | { readonly above: number; readonly until?: number | undefined }
  | { readonly below: number; readonly until?: number | undefined }
  | { readonly equals: number | string }
  | { readonly unchanged: true };

/** What is computed over windows of one shape, and for which series. */
export interface WindowConfiguration {
  readonly name: string;
  readonly series: string;
  readonly window: (WindowShape & { readonly allowedLatenessMs: number }) | OrderedShape;
  readonly aggregates: readonly string[];
  /** How often a window gives what it has before its end, in milliseconds; undefined: never. */
  readonly earlyMs: number | undefined;
  /** Whether readings that come too late are only counted, or stored too. */
  readonly late: 'count' | 'store';
  /** What the values between two readings are taken to be. */
  readonly interpolation: 'step' | 'linear';
  /** Readings further apart say nothing about the time between them, in milliseconds; undefined bridges any distance. */
  readonly maxGapMs: number | undefined;
  /** How long the history keeps its results, in milliseconds; undefined: as long as others. */
  readonly keepMs: number | undefined;
}

/** Stretches of event time that lie side by side. */
export type RollupShape = Extract<WindowShape, { readonly tumblingMs: number } | { readonly timeZone: string }>;

/** Windows that are made from smaller ones. */
export interface RollupConfiguration {
  readonly name: string;
  /** The name of a window or of another rollup. */
  readonly from: string;
  readonly window: RollupShape;
  /** Undefined: what it is made from says. */
  readonly aggregates: readonly string[] | undefined;
  /** See `WindowConfiguration`. */
  readonly earlyMs: number | undefined;
  readonly keepMs: number | undefined;
}

/** Which readings of the series a pattern names go on to windows and detectors. */
export interface ReductionConfiguration {
  readonly series: string;
  readonly deadband: number | undefined;
  readonly deadbandPercent: number | undefined;
  readonly swingingDoor: number | undefined;
  readonly atLeastEveryMs: number | undefined;
  readonly atMostEveryMs: number | undefined;
}

/** What is known of devices, or of what a tag names. */
export interface TableConfiguration {
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  /** `device`, or the name of a tag. */
  readonly key: string;
  /** Columns that go onto results as tags. */
  readonly tags: readonly string[];
  /** As the file was when the configuration was loaded. */
  readonly content: TableContent;
}

/** A series derived from each series a pattern names, reading by reading. */
export interface DerivationConfiguration {
  readonly name: string;
  readonly series: string;
  readonly metric: string;
  readonly unit: string | undefined;
  /** Expression in CEL. */
  readonly value: string;
}

/** What a side of a window join comes to in a window; with `pairs` every pair is taken. */
export type JoinAggregate = 'mean' | 'sum' | 'min' | 'max' | 'first' | 'last' | 'count' | 'pairs';

/** Which readings of the two sides of a join belong together; times in milliseconds. */
export type JoinKind =
  | { readonly withinMs: number }
  | { readonly asOfMs: number }
  | { readonly tumblingMs: number; readonly aggregate: JoinAggregate };

/** A series computed from two others. */
export interface JoinConfiguration {
  readonly name: string;
  readonly left: string;
  readonly right: string;
  /** `device`, or names of tags. */
  readonly on: readonly string[];
  readonly kind: JoinKind;
  /** How long a side that brings nothing new is waited for. */
  readonly waitMs: number;
  readonly metric: string;
  readonly unit: string | undefined;
  /** Expression in CEL. */
  readonly value: string;
}

/** A detector on the series a pattern names. */
export interface DetectConfiguration {
  readonly series: string;
  readonly detector: string;
  /** The detector's own options, defaults filled in; a duration `for` of the file is `forMs` here. */
  readonly options: Readonly<Record<string, number | string>>;
  /** Undefined: anomalies are marked, and no alarm is raised. */
  readonly alarm:
    | {
        readonly severity: Severity;
        readonly priority: number | undefined;
        readonly holdMs: number;
        readonly onDelayMs: number;
        readonly hysteresis: number;
      }
    | undefined;
}

/** A detector on several series together: an entry of `detect`, too. */
export interface TogetherConfiguration extends Omit<DetectConfiguration, 'series'> {
  readonly together: readonly string[];
  /** What is equal in the series of a group; none: all that match are one. */
  readonly on: readonly string[];
  readonly maxAgeMs: number;
}

/** How alarms reach people. */
export interface AlarmsConfiguration {
  readonly maxShelvingMs: number;
  readonly maxMaintenanceMs: number;
  readonly groupWithinMs: number;
  /** With an `above` of 0 there never is one. */
  readonly flood: { readonly above: number; readonly below: number; readonly withinMs: number };
}

/** Where results go; tell them apart by `type`. */
export type SinkConfiguration = InfluxdbConfiguration | MqttSinkConfiguration | WebhookConfiguration;

/** How a sink is fed that takes results of windows. */
export interface FeedConfiguration {
  readonly batch: { readonly maxItems: number; readonly everyMs: number };
  readonly catchUp: { readonly order: CatchUpOrder; readonly maxPerSecond: number };
}

/** A sink that writes to a database of an InfluxDB server. */
export interface InfluxdbConfiguration extends FeedConfiguration {
  readonly name: string;
  readonly type: 'influxdb';
  readonly url: string;
  readonly database: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly token: string | undefined;
  readonly version: 1;
  readonly gzip: boolean;
  readonly timeoutMs: number;
  readonly createDatabase: boolean;
  readonly retentionPolicy: string | undefined;
}

/** A sink that publishes to an MQTT broker. */
export interface MqttSinkConfiguration extends FeedConfiguration {
  readonly name: string;
  readonly type: 'mqtt';
  readonly url: string;
  /** `headgate-<gateway>-<sink>` where the file says nothing. */
  readonly clientId: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Contents of PEM files; `key` must not be logged. */
  readonly tls: {
    readonly ca: string | undefined;
    readonly cert: string | undefined;
    readonly key: string | undefined;
  };
  readonly qos: 0 | 1;
  readonly prefix: string;
  readonly aggregates: boolean;
  readonly alarms: { readonly severity: Severity; readonly series: string };
  readonly timeoutMs: number;
}

/** A sink that tells alarms to an HTTP server. */
export interface WebhookConfiguration {
  readonly name: string;
  readonly type: 'webhook';
  /** May hold a secret: only its origin must be logged. */
  readonly url: string;
  readonly secret: string | undefined;
  /** Values may be secrets. */
  readonly headers: Readonly<Record<string, string>>;
  readonly format: 'json' | 'alertmanager' | 'slack' | 'ntfy';
  readonly alarms: { readonly severity: Severity; readonly series: string };
  readonly timeoutMs: number;
  /** Content of a PEM file. */
  readonly ca: string | undefined;
}
