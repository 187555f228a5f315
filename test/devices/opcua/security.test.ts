import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { OpcuaClient } from '../../../devices/opcua/opcua-client.ts';
import { systemClock } from '../../../gateway/base/system-clock.ts';
import { type RunningPlant, startPlant } from '../../../simulators/opcua-plant.ts';
import { RecordingIntake, silentLogger } from './recording-intake.ts';

let folder: string;
let plant: RunningPlant;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opcua-secure-'));
  const user = { name: 'gateway', password: 's3cret' };
  plant = await startPlant({ devices: [], pkiPath: join(folder, 'plant'), user, allowAnonymous: false });
});
afterAll(async () => {
  await plant.stop();
  await rm(folder, { recursive: true, force: true });
});

test('an encrypted connection is made only once a person has trusted the server', async () => {
  plant.set('press.a', 1);
  const pkiPath = join(folder, 'gateway');
  const intake = new RecordingIntake();
  const client = new OpcuaClient(
    {
      name: 'press',
      endpoint: plant.endpointUrl,
      security: { policy: 'Basic256Sha256', mode: 'SignAndEncrypt', user: 'gateway', password: 's3cret' },
      nodes: [{ id: 'nsu=urn:headgate:plant;s=press.a', device: 'p', metric: 'a' }],
      publishingIntervalMs: 20,
      pkiPath,
    },
    intake,
    { clock: systemClock, logger: silentLogger, random: () => 0.1 },
  );
  await client.start(AbortSignal.timeout(5_000));
  try {
    await vi.waitUntil(() => client.status().detail.includes('is not trusted'), { timeout: 15_000, interval: 20 });
    expect(intake.readings).toEqual([]);
    const rejected = await readdir(join(pkiPath, 'rejected'));
    expect(rejected).toHaveLength(1);
    await rename(join(pkiPath, 'rejected', rejected[0]!), join(pkiPath, 'trusted/certs', rejected[0]!));
    await vi.waitUntil(() => intake.readings.length === 1, { timeout: 15_000, interval: 20 });
    expect(client.status().state).toBe('running');
  } finally {
    await client.stop(AbortSignal.timeout(5_000));
  }
});
