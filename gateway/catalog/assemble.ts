import type { Configuration } from '../../config/configuration.ts';
import { HTTP_SOURCE } from '../../config/source-configuration.ts';
import { LineProtocolWrites } from '../../devices/http/line-protocol-writes.ts';
import { MqttBroker } from '../../devices/mqtt/broker.ts';
import { Api } from '../api/app.ts';
import { SteadyClock } from '../base/steady-clock.ts';
import { systemDisk } from '../base/system-disk.ts';
import { systemMemory } from '../base/system-memory.ts';
import { askTimeService, thisBox } from '../base/time-service.ts';
import type { Clock } from '../core/clock.ts';
import type { Source } from '../core/source.ts';
import type { Logger } from '../core/telemetry.ts';
import type { Gateway } from '../runtime/gateway.ts';
import { makeGateway } from './make-gateway.ts';
import { makeSinks } from './sinks.ts';
import { sourceFactories } from './sources.ts';

/** What a gateway needs from the process it runs in. */
export interface AssemblyParts {
  /** That of the system; readings get their times from a steady one made of it. */
  readonly clock: Clock;
  /** Names this run of the operating system, over which the monotonic clock goes on. */
  readonly boot: string;
  readonly random: () => number;
  readonly logger: Logger;
  readonly version: string;
  /** The arguments that Node was started with, as in `NODE_OPTIONS`. */
  readonly nodeOptions: string;
  /** The configuration as it may be shown: secrets hidden. */
  readonly configurationText: string;
  /** The gateway cannot go on. */
  readonly failed: (error: unknown) => void;
}

/** A gateway and its API, not started. */
export interface Assembly {
  readonly gateway: Gateway;
  readonly api: Api;
  /** The embedded brokers, once the gateway has started. */
  readonly brokers: readonly MqttBroker[];
}

/** Puts a gateway and its API together as a configuration says, with the disk and the network of this machine. */
export async function assemble(configuration: Configuration, process: AssemblyParts): Promise<Assembly> {
  const clock = new SteadyClock(process.clock);
  const parts = { ...process, clock };
  const { logger } = parts;
  const factories = await sourceFactories(configuration, parts);
  const brokers: MqttBroker[] = [];
  let writes: LineProtocolWrites | undefined;
  const gateway = makeGateway(configuration, {
    ...parts,
    ...makeSinks(configuration, parts),
    disk: systemDisk,
    timeService: (signal) => askTimeService(thisBox, signal),
    memory: systemMemory(parts.nodeOptions),
    sources: (intake) => {
      const sources = factories.map(({ name, make }): Source => make(intake(name)));
      brokers.push(...sources.filter((source) => source instanceof MqttBroker));
      writes = new LineProtocolWrites(HTTP_SOURCE, intake(HTTP_SOURCE), clock, {
        // A request and as many readings of others fit into what is remembered.
        maxValues: Math.floor(configuration.storage.rememberedReadings / 2),
      });
      return [...sources, writes];
    },
  });
  const api = new Api(configuration.api, gateway, {
    clock,
    logger: logger.child({ room: 'api' }),
    onUpgrade: (_path, stream, request) => {
      const broker = brokers[0];
      if (broker === undefined) stream.destroy();
      else broker.attach(stream, request);
    },
    writes: {
      write: async (request) => writes?.write(request) ?? { kind: 'busy', detail: 'the gateway has not started' },
    },
  });
  return { gateway, api, brokers };
}
