import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { GatewayProcess } from './gateway-process.ts';

/** A gateway that is written to over HTTP and stores into an InfluxDB. */
export interface WrittenGateway {
  readonly running: GatewayProcess;
  /** Writes one reading of a device `press`; rejects where it is not kept. */
  readonly write: (metric: string, value: number, time: number) => Promise<void>;
  /** Ends it, and removes what it has written. */
  readonly remove: () => Promise<void>;
}

/** Starts one. `analysis` are the parts of its file that the test is about. */
export async function startWrittenGateway(influxUrl: string, analysis: string): Promise<WrittenGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-written-'));
  const api = await freePort();
  const text = `
storage: { path: ${join(folder, 'data')}, keepFree: 1 MiB, checkpointEvery: 300ms }
${analysis}
sinks:
  - { name: influx, type: influxdb, url: ${influxUrl}, database: headgate, batch: { every: 100ms } }
api: { listen: 127.0.0.1:${api} }
`;
  const running = await GatewayProcess.start(folder, text, `http://127.0.0.1:${api}`);
  return {
    running,
    write: async (metric, value, time) => {
      const body = `${metric},device=press value=${value} ${time}`;
      const { status } = await fetch(`${running.apiUrl}/api/v1/write?precision=ms`, { method: 'POST', body });
      if (status !== 204) throw new Error(`not kept: HTTP ${status}`);
    },
    remove: async () => {
      await running.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
