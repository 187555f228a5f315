import type { CheckedFile } from './schema.ts';
import type {
  InfluxdbConfiguration,
  MqttSinkConfiguration,
  SinkConfiguration,
  WebhookConfiguration,
} from './sink-configuration.ts';

type CheckedSink = CheckedFile['sinks'][number];

/** A checked sink in the shape the gateway uses. @param gateway its name */
export function resolveSink(sink: CheckedSink, gateway: string): SinkConfiguration {
  switch (sink.type) {
    case 'influxdb':
      return influxdb(sink);
    case 'mqtt':
      return mqtt(sink, gateway);
    case 'webhook':
      return webhook(sink);
  }
}

function influxdb(sink: Extract<CheckedSink, { type: 'influxdb' }>): InfluxdbConfiguration {
  const { name, type, url, database, user, password, token, version, gzip, timeout, createDatabase } = sink;
  const { retentionPolicy, batch, catchUp } = sink;
  return {
    name,
    type,
    url,
    database,
    user,
    password,
    token,
    version,
    gzip,
    timeoutMs: timeout,
    createDatabase,
    retentionPolicy,
    batch: { maxItems: batch.maxItems, everyMs: batch.every },
    catchUp,
  };
}

function mqtt(sink: Extract<CheckedSink, { type: 'mqtt' }>, gateway: string): MqttSinkConfiguration {
  const { name, type, url, clientId = `headgate-${gateway}-${name}`, user, password, qos, prefix } = sink;
  const { tls, aggregates, alarms, timeout, batch, catchUp } = sink;
  return {
    name,
    type,
    url,
    clientId,
    user,
    password,
    tls: { ca: tls?.ca, cert: tls?.cert, key: tls?.key },
    qos,
    prefix,
    aggregates,
    alarms,
    timeoutMs: timeout,
    batch: { maxItems: batch.maxItems, everyMs: batch.every },
    catchUp,
  };
}

function webhook(sink: Extract<CheckedSink, { type: 'webhook' }>): WebhookConfiguration {
  const { name, type, url, secret, headers, format, alarms, timeout, tls } = sink;
  return { name, type, url, secret, headers, format, alarms, timeoutMs: timeout, ca: tls?.ca };
}
