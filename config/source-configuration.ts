import type { HostPort } from './units.ts';

/** Name of the source behind the HTTP routes that take line protocol. Every gateway has it, so no other source may have the name. */
export const HTTP_SOURCE = 'http';

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
