import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort } from './free-port.ts';
import { GatewayProcess } from './gateway-process.ts';

let folder: string;
let gateway: GatewayProcess;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headgate-websocket-'));
  const api = await freePort();
  const configuration = `
storage: { path: data, keepFree: 1 MiB }
sources:
  - name: floor
    type: mqtt
    listen: 127.0.0.1:${await freePort()}
    readings: [{ topic: sensors/_/+, template: _/device/metric }]
api: { listen: 127.0.0.1:${api} }
`;
  gateway = await GatewayProcess.start(folder, configuration, `http://127.0.0.1:${api}`);
});

afterEach(async () => {
  await gateway.stop();
  await rm(folder, { recursive: true, force: true });
});

test('MQTT over WebSocket: a browser publishes and subscribes like every other client', async () => {
  const client = await mqtt.connectAsync(`${gateway.apiUrl.replace('http', 'ws')}/mqtt`, { connectTimeout: 5_000 });
  try {
    const heard = new Promise<string>((resolve) =>
      client.on('message', (_topic, payload) => resolve(payload.toString())),
    );
    await client.subscribeAsync('sensors/#', { qos: 1 });
    await client.publishAsync('sensors/phone/temperature', '{"value": 21.5}', { qos: 1 });
    expect(await heard).toBe('{"value": 21.5}');
    const { ledger } = await gateway.status();
    expect(ledger.received).toBe(1);
    const { series } = await gateway.get<{ series: { key: string }[] }>('/api/v1/series');
    expect(series.map(({ key }) => key)).toEqual(['phone/temperature']);
  } finally {
    await client.endAsync(true);
  }
});
