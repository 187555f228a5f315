import type { Severity } from '../gateway/core/result.ts';

/** Where results go; tell them apart by `type`. */
export type SinkConfiguration = InfluxdbConfiguration | MqttSinkConfiguration | WebhookConfiguration;

/** What a sink gets first after an outage. */
export type CatchUpOrder = 'newest-first' | 'in-order';

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
