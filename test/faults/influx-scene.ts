import { type Influxd, startInfluxd } from '../services/influxd.ts';
import { MisbehavingServer } from './misbehaving-server.ts';
import type { StoredWindows } from './oracle.ts';
import { type Round, Skipped } from './rig.ts';
import { Scene, type SceneOptions } from './scene.ts';

export const DATABASE = 'headgate';

/** A scene whose gateway delivers through a proxy to a real InfluxDB. */
export interface InfluxScene {
  readonly scene: Scene;
  readonly influxd: Influxd;
  readonly proxy: MisbehavingServer;
}

/**
 * Opens such a scene, uses it, and closes it.
 *
 * @param options `influx`: more words of the sink, with a comma before them
 * @throws {Skipped} where there is no influxd
 */
export async function withInflux<T>(
  { random }: Round,
  { influx = '', ...options }: SceneOptions & { readonly influx?: string },
  use: (with_: InfluxScene) => Promise<T>,
): Promise<T> {
  const influxd = await startInfluxd();
  if (influxd === undefined) throw new Skipped('influxd is not installed');
  try {
    const proxy = await MisbehavingServer.start(influxd.url, random.fork('proxy'), '/write');
    try {
      // A hanging server is given up after `timeout`; the default is longer than a round may take.
      const sink = `{ name: influx, type: influxdb, url: "${proxy.url}", database: ${DATABASE}, timeout: 2s, batch: { every: 100ms }${influx} }`;
      const scene = await Scene.open({ sinks: [sink], ...options });
      try {
        return await use({ scene, influxd, proxy });
      } finally {
        await scene.close();
      }
    } finally {
      await proxy.close();
    }
  } finally {
    await influxd.remove();
  }
}

/** The windows of a device as InfluxDB has them, in pieces that it answers quickly. */
export function storedIn(influxd: Influxd, window = 's'): StoredWindows {
  return async (device) => {
    const rows = await influxd.rows(
      DATABASE,
      `SELECT "count", "sum", "min", "max" FROM "seq" WHERE "device" = '${device}' AND "window" = '${window}'`,
    );
    return rows.map((row) => ({
      start: Number(row['time']),
      count: Number(row['count']),
      sum: Number(row['sum']),
      min: Number(row['min']),
      max: Number(row['max']),
    }));
  };
}
