import { join } from 'node:path';
import type { Configuration } from '../../config/configuration.ts';
import type { SinkConfiguration } from '../../config/sink-configuration.ts';
import { systemDisk } from '../base/system-disk.ts';
import type { AlarmRow } from '../core/alarm.ts';
import type { Clock } from '../core/clock.ts';
import type { AlarmEvent, Severity } from '../core/result.ts';
import type { Sink } from '../core/sink.ts';
import type { Logger } from '../core/telemetry.ts';
import { lateStreamOf } from '../pipeline/windows/window-results.ts';
import type { ForwarderOptions } from '../runtime/forwarder.ts';
import { HistorySink } from '../sinks/history/history.ts';
import { InfluxdbSink } from '../sinks/influxdb/influxdb.ts';
import { MqttSink } from '../sinks/mqtt/mqtt.ts';
import { WebhookSink } from '../sinks/webhook/webhook.ts';

/** A sink and how it is fed. */
export interface FedSink {
  readonly sink: Sink;
  readonly options: ForwarderOptions;
}

/** What sinks are made with. */
export interface SinkParts {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The history is fed at once, so that the page shows a window when it closes. */
const HISTORY_FEED: ForwarderOptions = { maxItems: 1_000, lingerMs: 50 };

/**
 * A webhook gets alarms, which never linger; results of windows, which it does not get, are passed over now and then. As it posts one by one, and
 * remembers what was answered, smaller batches would not help it, and hide those that wait behind one that is never answered.
 */
const WEBHOOK_FEED: ForwarderOptions = { maxItems: 1_000, minItems: 1_000, lingerMs: 1_000 };

/** Alarms that were active before, of which a sink is told. */
const MAX_ACTIVE_ALARMS = 10_000;

/** The history, which every gateway has, and the configured sinks. */
export function makeSinks(
  configuration: Configuration,
  parts: SinkParts,
): { readonly history: HistorySink; readonly sinks: readonly FedSink[] } {
  const { storage } = configuration;
  const { clock, logger } = parts;
  const history = new HistorySink(
    {
      name: 'history',
      path: join(storage.path, 'history.sqlite'),
      sync: storage.sync !== 'never',
      ...storage.history,
      keepMs: keptTimes(configuration),
    },
    { clock, logger: logger.child({ sink: 'history' }), disk: systemDisk },
  );
  const activeAlarms = () => history.alarms({ state: 'active', limit: MAX_ACTIVE_ALARMS }).map(asEvent).reverse();
  const configured = makeConfiguredSinks(configuration, parts, activeAlarms);
  return { history, sinks: [{ sink: history, options: HISTORY_FEED }, ...configured] };
}

/** How long results of windows are kept of which it is said, late readings among them; in milliseconds. */
function keptTimes({ windows, rollups }: Configuration): ReadonlyMap<string, number> {
  return new Map(
    [...windows, ...rollups].flatMap(({ name, keepMs }) =>
      keepMs === undefined
        ? []
        : [
            [name, keepMs],
            [lateStreamOf(name), keepMs],
          ],
    ),
  );
}

/** The configured sinks alone. @param activeAlarms what is known of them from before, the oldest first */
export function makeConfiguredSinks(
  { gateway, sinks }: Configuration,
  { clock, logger }: SinkParts,
  activeAlarms: () => readonly AlarmEvent[] = () => [],
): readonly FedSink[] {
  const makeSink = (sink: SinkConfiguration): Sink => {
    const parts = { clock, logger: logger.child({ sink: sink.name }) };
    switch (sink.type) {
      case 'influxdb':
        return new InfluxdbSink({ ...sink, gatewayTags: { ...gateway.tags, gateway: gateway.name } }, parts);
      case 'mqtt':
        return new MqttSink({ ...sink, gateway }, { ...parts, activeAlarms });
      case 'webhook':
        return new WebhookSink({ ...sink, gateway }, parts);
    }
  };
  return sinks.map((sink) => ({ sink: makeSink(sink), options: feedOf(sink) }));
}

function feedOf(sink: SinkConfiguration): ForwarderOptions {
  if (sink.type === 'webhook') return WEBHOOK_FEED;
  return { maxItems: sink.batch.maxItems, lingerMs: sink.batch.everyMs, catchUp: sink.catchUp };
}

/** The last step of an active alarm, as far as the history has it: without tags and unit of the series. */
function asEvent(row: AlarmRow): AlarmEvent {
  const { id, series: key, device, metric, detector, severity, score, value, message, raisedAt, acknowledgedAt } = row;
  const { priority, count, group, suppressed } = row;
  return {
    kind: 'alarm',
    id,
    series: { key, device, metric, tags: {} },
    detector,
    severity: severity as Severity,
    state: acknowledgedAt === null ? 'raised' : 'acknowledged',
    time: acknowledgedAt ?? raisedAt,
    raisedAt,
    score,
    value,
    message,
    priority,
    count,
    active: true,
    ...(group === null ? {} : { group }),
    ...(suppressed === null ? {} : { suppressed }),
  };
}
