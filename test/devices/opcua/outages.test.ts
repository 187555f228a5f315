import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { OpcuaClient } from '../../../devices/opcua/opcua-client.ts';
import { systemClock } from '../../../gateway/base/system-clock.ts';
import { startPlant } from '../../../simulators/opcua-plant.ts';
import { CuttableProxy } from './cuttable-proxy.ts';
import { RecordingIntake, silentLogger } from './recording-intake.ts';

const NODE = { id: 'nsu=urn:headgate:plant;s=press.oil_temperature', device: 'p', metric: 'a' };
const T0 = Date.UTC(2024, 0, 1);
const soon = { timeout: 15_000, interval: 10 };

let folder: string;
const cleanups: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opcua-outage-'));
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function clientOf(endpoint: string) {
  const intake = new RecordingIntake();
  const options = {
    name: 'press',
    endpoint,
    nodes: [NODE],
    publishingIntervalMs: 50,
    pkiPath: join(folder, 'gateway'),
  };
  const client = new OpcuaClient(options, intake, { clock: systemClock, logger: silentLogger });
  await client.start(AbortSignal.timeout(5_000));
  cleanups.push(() => client.stop(AbortSignal.timeout(5_000)));
  return { client, intake };
}

test('a cut wire loses no value: the server kept them, in its queue and unacknowledged', async () => {
  const plant = await startPlant({ devices: [], secure: false, pkiPath: join(folder, 'plant') });
  cleanups.push(() => plant.stop());
  const proxy = new CuttableProxy(Number(new URL(plant.endpointUrl).port));
  await proxy.mend();
  cleanups.push(() => proxy.cut());
  let value = 0;
  const measure = () => plant.set('press.oil_temperature', ++value, 0, T0 + value);
  measure();
  const { client, intake } = await clientOf(`opc.tcp://127.0.0.1:${proxy.port}`);
  await vi.waitUntil(() => intake.readings.length === 1, soon);
  for (let outage = 1; outage <= 2; outage++) {
    // the cut comes amid values on their way
    for (let i = 0; i < 50; i++) {
      measure();
      if (i % 10 === 0) await systemClock.sleep(20);
    }
    await proxy.cut();
    await vi.waitUntil(() => client.status().state === 'degraded', soon);
    for (let i = 0; i < 100; i++) measure();
    await proxy.mend();
    await vi.waitUntil(() => client.status().numbers['reconnects'] === outage, soon);
  }
  measure();
  await vi.waitUntil(() => intake.readings.some((reading) => reading.value === value), soon);
  const distinct = new Set(intake.readings.map((reading) => `${reading.sourceTime} ${reading.value}`));
  expect(distinct).toEqual(new Set(Array.from({ length: value }, (_, i) => `${T0 + i + 1} ${i + 1}`)));
  expect(client.status()).toMatchObject({ state: 'running', numbers: { overflows: 0 } });
});

/** A plant in a process of its own, so that it can be killed and frozen. */
async function plantProcess(port: number): Promise<{ process: ChildProcess; endpointUrl: string }> {
  const code = `
    import { startPlant } from ${JSON.stringify(join(import.meta.dirname, '../../../simulators/opcua-plant.ts'))};
    const plant = await startPlant(${JSON.stringify({ port, secure: false, periodMs: 50, pkiPath: join(folder, 'plant') })});
    process.stdout.write('ready ' + plant.endpointUrl + '\\n');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  cleanups.push(async () => child.kill('SIGKILL'));
  let output = '';
  child.stdout!.on('data', (data) => {
    output += data;
  });
  await vi.waitUntil(() => output.includes('ready '), soon);
  return { process: child, endpointUrl: /ready (\S+)/.exec(output)![1]! };
}

test('data resumes within five seconds of the return of a server that was killed', async () => {
  const first = await plantProcess(0);
  const { client, intake } = await clientOf(first.endpointUrl);
  await vi.waitUntil(() => intake.readings.length > 5, soon);
  first.process.kill('SIGKILL');
  await vi.waitUntil(() => client.status().state === 'degraded', soon);
  await plantProcess(Number(new URL(first.endpointUrl).port));
  const before = intake.readings.length;
  const since = performance.now();
  await vi.waitUntil(() => intake.readings.length > before + 5, soon);
  expect(performance.now() - since).toBeLessThan(5_000);
  await vi.waitUntil(() => client.status().state === 'running', soon);
});

test('a server that froze for a while goes on where it stopped', async () => {
  const plant = await plantProcess(0);
  const { client, intake } = await clientOf(plant.endpointUrl);
  await vi.waitUntil(() => intake.readings.length > 5, soon);
  plant.process.kill('SIGSTOP');
  // not a wait for something: the length of the freeze
  await systemClock.sleep(1_000);
  plant.process.kill('SIGCONT');
  const before = intake.readings.length;
  await vi.waitUntil(() => intake.readings.length > before + 5, soon);
  expect(client.status().state).toBe('running');
});
