import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClientSession, OPCUACertificateManager, OPCUAClient } from 'node-opcua';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { type RunningPlant, startPlant } from '../../simulators/opcua-plant.ts';

let folder: string;
let plant: RunningPlant | undefined;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plant-'));
});
afterEach(async () => {
  await plant?.stop();
  plant = undefined;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function withSession<T>(endpointUrl: string, use: (session: ClientSession) => Promise<T>): Promise<T> {
  const pki = new OPCUACertificateManager({ rootFolder: join(folder, 'client'), disableFileWatchers: true });
  const client = OPCUAClient.create({ endpointMustExist: false, clientCertificateManager: pki });
  await client.connect(endpointUrl);
  const session = await client.createSession();
  try {
    return await use(session);
  } finally {
    await session.close();
    await client.disconnect();
    await pki.dispose();
  }
}

test('the press shop has its variables, and they change', async () => {
  plant = await startPlant({ secure: false, periodMs: 20, pkiPath: join(folder, 'plant') });
  await withSession(plant.endpointUrl, async (session) => {
    const namespaces = await session.readNamespaceArray();
    const index = namespaces.indexOf('urn:headgate:plant');
    expect(index).toBeGreaterThan(0);
    const values = new Set<number>();
    await vi.waitUntil(
      async () => {
        const dataValue = await session.read({ nodeId: `ns=${index};s=press.oil_temperature` });
        values.add(dataValue.value.value);
        return values.size >= 3;
      },
      { timeout: 10_000, interval: 20 },
    );
    for (const value of values) expect(value).toBeGreaterThan(30);
  });
});

test('a sensor that dropped out says so by its status, and a variable can be set by hand', async () => {
  const faults = [{ device: 'hall', metric: 'humidity', kind: 'drop-out', afterMs: 0, forMs: 1e9 }] as const;
  plant = await startPlant({ secure: false, periodMs: 20, faults, pkiPath: join(folder, 'plant') });
  plant.set('press.note', 'manual', 0, Date.UTC(2024, 0, 1));
  await withSession(plant.endpointUrl, async (session) => {
    const index = (await session.readNamespaceArray()).indexOf('urn:headgate:plant');
    const humidity = await session.read({ nodeId: `ns=${index};s=hall.humidity` });
    expect(humidity.statusCode.name).toBe('BadNoCommunication');
    const note = await session.read({ nodeId: `ns=${index};s=press.note` });
    expect([note.value.value, note.sourceTimestamp?.getTime()]).toEqual(['manual', Date.UTC(2024, 0, 1)]);
  });
});

test('it stops with its signal, and its port is free again', async () => {
  const stop = new AbortController();
  const first = await startPlant({ secure: false, pkiPath: join(folder, 'plant') }, stop.signal);
  stop.abort();
  await first.stop();
  const port = Number(new URL(first.endpointUrl).port);
  plant = await startPlant({ secure: false, port, pkiPath: join(folder, 'plant') });
  expect(plant.endpointUrl).toBe(first.endpointUrl);
});
