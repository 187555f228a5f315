import type { FaultSpec } from './faults.ts';
import { OpcuaServer, type OpcuaServerOptions, type OpcuaTypeName, type OpcuaValue } from './opcua-server.ts';
import { Plant, PRESS_SHOP, PRESS_SHOP_FAULTS } from './plant.ts';
import type { DeviceSpec } from './sensor.ts';
import { monotonicMs, pause, untilAborted, wallMs } from './time.ts';

/** What `startPlant` may be told, besides how it listens. */
export interface PlantOptions extends OpcuaServerOptions {
  /** Devices whose metrics become variables. @default the press shop */
  readonly devices?: readonly DeviceSpec[];
  /** Further variables by id, which keep what they are set to. */
  readonly nodes?: Readonly<Record<string, OpcuaTypeName>>;
  /** Time between two values of a variable in milliseconds; 0 leaves them alone. @default 1000 */
  readonly periodMs?: number;
  /** @default 1 */
  readonly seed?: number;
  /** @default the press shop's own troubles where its devices are simulated, none otherwise */
  readonly faults?: readonly FaultSpec[];
}

/** A simulated plant and the OPC-UA server that shows it, until it is stopped. */
export interface RunningPlant {
  /** For example `opc.tcp://127.0.0.1:4840`. */
  readonly endpointUrl: string;
  /** Sets a variable, added when new; see `OpcuaServer.set`. */
  set(id: string, value: OpcuaValue, statusCode?: number, sourceTimeMs?: number): void;
  /** Takes a variable away. */
  remove(id: string): void;
  /** Stops the server; resolves when the port is free again. May be called twice. */
  stop(): Promise<void>;
}

const BAD_NO_COMMUNICATION = 0x80310000;

/**
 * Starts an OPC-UA server with a simulated plant: `Objects/Press/oil_temperature` is the node
 * `nsu=urn:headgate:plant;s=press.oil_temperature`, and so on for each metric of each device. Runs until `stop` or the signal.
 */
export async function startPlant(options: PlantOptions = {}, signal?: AbortSignal): Promise<RunningPlant> {
  const { devices = PRESS_SHOP, nodes = {}, periodMs = 1000, seed = 1 } = options;
  const faults = options.faults ?? (devices === PRESS_SHOP ? PRESS_SHOP_FAULTS : []);
  const plant = new Plant(devices, faults, seed);
  const server = new OpcuaServer(options);
  await server.start();
  for (const { device, metrics } of devices) for (const { metric } of metrics) server.add(nodeName(device, metric));
  for (const [id, type] of Object.entries(nodes)) server.add(id, type);
  const stopping = new AbortController();
  const running = periodMs > 0 ? run(server, devices, plant, periodMs, stopping.signal) : Promise.resolve();
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopping.abort();
    stopped ??= running.then(() => server.stop());
    return stopped;
  };
  signal?.addEventListener('abort', () => void stop(), { once: true });
  return {
    endpointUrl: server.endpointUrl,
    set: (id, value, statusCode, sourceTimeMs) => server.set(id, value, statusCode, sourceTimeMs),
    remove: (id) => server.remove(id),
    stop,
  };
}

/** Runs a plant until the signal aborts. @param onReady called once the server listens */
export async function simulatePlant(
  options: PlantOptions & { readonly onReady?: (endpointUrl: string) => void },
  signal: AbortSignal,
): Promise<void> {
  const plant = await startPlant(options);
  options.onReady?.(plant.endpointUrl);
  await untilAborted(signal);
  await plant.stop();
}

/** The id of a metric's node: `press-1` and `oil_temperature` give `press.oil_temperature`, `press-2` gives `press-2.…`. */
function nodeName(device: string, metric: string): string {
  return `${device.replace(/-1$/, '')}.${metric}`;
}

async function run(
  server: OpcuaServer,
  devices: readonly DeviceSpec[],
  plant: Plant,
  periodMs: number,
  signal: AbortSignal,
): Promise<void> {
  const all = devices.flatMap(({ device, metrics }) => metrics.map(({ metric }) => nodeName(device, metric)));
  const startMs = monotonicMs();
  for (let step = 0; !signal.aborted; step++) {
    step = Math.max(step, Math.floor((monotonicMs() - startMs) / periodMs));
    await pause(startMs + step * periodMs - monotonicMs(), signal);
    if (signal.aborted) return;
    const silent = new Set(all);
    for (const sample of plant.samples(step * periodMs, wallMs())) {
      const id = nodeName(sample.device, sample.metric);
      silent.delete(id);
      server.set(id, sample.value, 0, sample.timeMs);
    }
    // a sensor that dropped out is not silent in OPC-UA: its status says so
    for (const id of silent) server.set(id, null, BAD_NO_COMMUNICATION, wallMs());
  }
}
