import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../services/free-port.ts';
import { GatewayProcess } from '../services/gateway-process.ts';
import { Publisher, type PublishingOptions } from './publisher.ts';

/** What a rig wants otherwise than usual. */
export interface SceneOptions {
  /** Folder of the data. @default a folder of the scene */
  readonly dataPath?: string;
  /** More words of `storage`, for example `outbox: { maxBytes: 64 MiB }`. */
  readonly storage?: string;
  /** @default '400ms' */
  readonly checkpointEvery?: string;
  /** @default '1s' */
  readonly idleTimeout?: string;
  /** More rules of the source, before the usual one. */
  readonly readings?: readonly string[];
  /** Items of `windows`. @default one of a second, named `s` */
  readonly windows?: readonly string[];
  /** Items of `detect`. */
  readonly detect?: readonly string[];
  /** The words of `alarms`. */
  readonly alarms?: string;
  /** Items of `sinks`. */
  readonly sinks?: readonly string[];
}

/** The window that every rig has unless it says otherwise: in it a lost reading, and one that counts twice, shows in four numbers. */
export const SECOND_WINDOW =
  '{ name: s, series: "*", window: { tumbling: 1s, allowedLateness: 1h }, aggregates: [count, sum, min, max] }';

/** A gateway with a configuration, its folder and its publishers; not started. Close it, whatever happened. */
export class Scene {
  readonly folder: string;
  readonly dataPath: string;
  readonly port: number;
  readonly gateway: GatewayProcess;
  readonly #publishers: Publisher[] = [];

  private constructor(folder: string, dataPath: string, port: number, gateway: GatewayProcess) {
    this.folder = folder;
    this.dataPath = dataPath;
    this.port = port;
    this.gateway = gateway;
  }

  static async open(options: SceneOptions = {}): Promise<Scene> {
    const folder = await mkdtemp(join(tmpdir(), 'headgate-fault-'));
    const [port, apiPort] = [await freePort(), await freePort()];
    const dataPath = options.dataPath ?? join(folder, 'data');
    const text = configuration({ ...options, dataPath }, port, apiPort);
    const gateway = await GatewayProcess.prepare(folder, text, `http://127.0.0.1:${apiPort}`);
    return new Scene(folder, dataPath, port, gateway);
  }

  publish(options: Omit<PublishingOptions, 'port'> = {}): Publisher {
    const publisher = new Publisher({ ...options, port: this.port });
    this.#publishers.push(publisher);
    return publisher;
  }

  async close(): Promise<void> {
    for (const publisher of this.#publishers) await publisher.kill();
    await this.gateway.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Opens a scene, uses it, and closes it. */
export async function inScene<T>(options: SceneOptions, use: (scene: Scene) => Promise<T>): Promise<T> {
  const scene = await Scene.open(options);
  try {
    return await use(scene);
  } finally {
    await scene.close();
  }
}

function configuration(options: SceneOptions & { readonly dataPath: string }, port: number, apiPort: number): string {
  const { dataPath, storage, checkpointEvery = '400ms', idleTimeout = '1s' } = options;
  const { windows = [SECOND_WINDOW], detect = [], alarms = '{}', sinks = [], readings = [] } = options;
  const list = (items: readonly string[]) => `[${items.join(', ')}]`;
  return `
gateway: { name: faults }
storage: { path: ${dataPath}, keepFree: 0B, checkpointEvery: ${checkpointEvery}${storage === undefined ? '' : `, ${storage}`} }
time: { idleTimeout: ${idleTimeout} }
sources:
  - name: floor
    type: mqtt
    listen: 127.0.0.1:${port}
    readings:
${readings.map((rule) => `      - ${rule}\n`).join('')}      - { topic: sensors/_/+, template: _/device/metric, json: { value: value, time: ts, timeUnit: ms } }
windows: ${list(windows)}
detect: ${list(detect)}
alarms: ${alarms}
sinks: ${list(sinks)}
api: { listen: 127.0.0.1:${apiPort} }
`;
}
