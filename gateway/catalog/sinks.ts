import { join } from 'node:path';
import type { Configuration } from '../../config/configuration.ts';
import { systemDisk } from '../base/system-disk.ts';
import type { Clock } from '../core/clock.ts';
import type { Sink } from '../core/sink.ts';
import type { Logger } from '../core/telemetry.ts';
import { lateStreamOf } from '../pipeline/windows/window-results.ts';
import type { ForwarderOptions } from '../runtime/forwarder.ts';
import { HistorySink } from '../sinks/history/history.ts';
import { InfluxdbSink } from '../sinks/influxdb/influxdb.ts';

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
  const configured = makeConfiguredSinks(configuration, parts);
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

/** The configured sinks alone. */
export function makeConfiguredSinks(
  { gateway, sinks }: Configuration,
  { clock, logger }: SinkParts,
): readonly FedSink[] {
  return sinks.map((sink) => ({
    sink: new InfluxdbSink(
      { ...sink, gatewayTags: { ...gateway.tags, gateway: gateway.name } },
      { clock, logger: logger.child({ sink: sink.name }) },
    ),
    options: { maxItems: sink.batch.maxItems, lingerMs: sink.batch.everyMs, catchUp: sink.catchUp },
  }));
}
