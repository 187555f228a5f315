import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { OpcuaClient } from '../../../devices/opcua/opcua-client.ts';
import type { OpcuaOptions } from '../../../devices/opcua/options.ts';
import { systemClock } from '../../../gateway/base/system-clock.ts';
import { Quality } from '../../../gateway/core/quality.ts';
import { type PlantOptions, type RunningPlant, startPlant } from '../../../simulators/opcua-plant.ts';
import { freePort } from '../../services/free-port.ts';
import { RecordingIntake, silentLogger } from './recording-intake.ts';

const NS = 'nsu=urn:headgate:plant;s=';
const T0 = Date.UTC(2024, 0, 1);

let folder: string;
const cleanups: (() => Promise<void>)[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opcua-'));
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function plantWith(options: PlantOptions = {}): Promise<RunningPlant> {
  const plant = await startPlant({ devices: [], secure: false, pkiPath: join(folder, 'plant'), ...options });
  cleanups.push(() => plant.stop());
  return plant;
}

async function clientOf(endpoint: string, options: Partial<OpcuaOptions> & Pick<OpcuaOptions, 'nodes'>) {
  const intake = new RecordingIntake();
  const client = new OpcuaClient(
    { name: 'press', endpoint, pkiPath: join(folder, 'gateway'), publishingIntervalMs: 20, retryMs: 100, ...options },
    intake,
    { clock: systemClock, logger: silentLogger },
  );
  await client.start(AbortSignal.timeout(5_000));
  cleanups.push(() => client.stop(AbortSignal.timeout(5_000)));
  return { client, intake };
}

const soon = { timeout: 10_000, interval: 10 };

test('a value arrives with its source time, to 100 ns, and the quality of its status code', async () => {
  const plant = await plantWith();
  plant.set('press.oil_temperature', 46.5, 0, T0 + 0.1234);
  const { client, intake } = await clientOf(plant.endpointUrl, {
    nodes: [{ id: `${NS}press.oil_temperature`, device: 'press-1', metric: 'oil_temperature', unit: '°C' }],
  });
  await vi.waitUntil(() => intake.readings.length === 1, soon);
  plant.set('press.oil_temperature', 47, 0x40000000, T0 + 1000);
  plant.set('press.oil_temperature', 48, 0x80310000, T0 + 2000);
  await vi.waitUntil(() => intake.readings.length === 3, soon);
  const times = intake.readings.map((reading) => reading.sourceTime ?? 0);
  expect(times[0]).toBeCloseTo(T0 + 0.1234, 3);
  expect(times.slice(1)).toEqual([T0 + 1000, T0 + 2000]);
  expect(intake.readings.map(({ key, value, quality }) => [key, value, quality])).toEqual([
    ['press-1/oil_temperature', 46.5, Quality.good],
    ['press-1/oil_temperature', 47, Quality.uncertain],
    ['press-1/oil_temperature', 48, Quality.bad],
  ]);
  expect(client.status()).toMatchObject({ state: 'running', numbers: { items: 1, badNodes: 0 } });
});

test('an equal value that was measured again is a reading of its own; one beyond the deadband only is reported where one is set', async () => {
  const plant = await plantWith();
  plant.set('press.a', 1, 0, T0);
  plant.set('press.b', 1, 0, T0);
  const { intake } = await clientOf(plant.endpointUrl, {
    nodes: [
      { id: `${NS}press.a`, device: 'press-1', metric: 'a' },
      { id: `${NS}press.b`, device: 'press-1', metric: 'b', deadband: 0.5 },
    ],
  });
  await vi.waitUntil(() => intake.readings.length === 2, soon);
  for (const [i, value] of [1, 1.2, 1.4, 2].entries()) {
    plant.set('press.a', value, 0, T0 + 1 + i);
    plant.set('press.b', value, 0, T0 + 1 + i);
  }
  await vi.waitUntil(() => intake.of('press-1/a').length === 5 && intake.of('press-1/b').length >= 2, soon);
  expect(intake.of('press-1/a').map((reading) => reading.value)).toEqual([1, 1, 1.2, 1.4, 2]);
  expect(intake.of('press-1/b').map((reading) => reading.value)).toEqual([1, 2]);
});

test('every simple type is read; what cannot be a reading is set aside with its reason', async () => {
  const types = {
    'd.bool': ['Boolean', true],
    'd.byte': ['Byte', 200],
    'd.sbyte': ['SByte', -100],
    'd.int32': ['Int32', -70_000],
    'd.float': ['Float', 0.5],
    'd.int64': ['Int64', [0xffffffff, 0xfffffffe]],
    'd.uint64': ['UInt64', [0x1fffff, 0xffffffff]],
    'd.text': ['String', 'open'],
    'd.when': ['DateTime', new Date(T0)],
    'd.huge': ['UInt64', [0x200000, 1]],
    'd.array': ['Double', [1, 2, 3]],
    'd.none': ['Double', null],
  } as const;
  const plant = await plantWith({ nodes: Object.fromEntries(Object.entries(types).map(([id, [type]]) => [id, type])) });
  for (const [id, [, value]] of Object.entries(types)) plant.set(id, value, id === 'd.none' ? 0x80310000 : 0, T0);
  const { intake } = await clientOf(plant.endpointUrl, {
    nodes: Object.keys(types).map((id) => ({ id: NS + id, device: 'd', metric: id.slice(2) })),
  });
  await vi.waitUntil(() => intake.readings.length + intake.rejected.length === 12, soon);
  expect(Object.fromEntries(intake.readings.map(({ key, value }) => [key.slice(2), value]))).toEqual({
    bool: true,
    byte: 200,
    sbyte: -100,
    int32: -70_000,
    float: 0.5,
    int64: -2,
    uint64: Number.MAX_SAFE_INTEGER,
    text: 'open',
    when: '2024-01-01T00:00:00.000Z',
  });
  expect(intake.rejected.map(({ subject, reason }) => [subject.slice(NS.length), reason]).sort()).toEqual([
    ['d.array', 'the value is an array of Double; single values are taken'],
    ['d.huge', 'the UInt64 is beyond 2^53 and would lose digits as a number'],
    ['d.none', 'the server sent no value; its status is BadNoCommunication'],
  ]);
});

test('many nodes are subscribed in portions that the server allows, a bad one among them notwithstanding', async () => {
  const plant = await plantWith({ maxMonitoredItemsPerCall: 70 });
  const ids = Array.from({ length: 700 }, (_, i) => `many.n${i}`);
  for (const id of ids) if (id !== 'many.n333') plant.set(id, 1, 0, T0);
  const { client, intake } = await clientOf(plant.endpointUrl, {
    nodes: ids.map((id) => ({ id: NS + id, device: 'm', metric: id })),
  });
  await vi.waitUntil(() => intake.readings.length >= 699, soon);
  expect(new Set(intake.readings.map((reading) => reading.key)).size).toBe(699);
  await vi.waitUntil(() => client.status().numbers['items'] === 699, soon);
  expect(client.status()).toMatchObject({ numbers: { badNodes: 1 }, detail: expect.stringContaining('many.n333') });
});

describe('nodes that are not there', () => {
  test('do not keep others from being read, are named in the status, and are read once they appear', async () => {
    const plant = await plantWith();
    plant.set('press.here', 1, 0, T0);
    const { client, intake } = await clientOf(plant.endpointUrl, {
      nodes: [
        { id: 'nsu=urn:nobody;s=x', device: 'p', metric: 'x' },
        { id: `${NS}press.later`, device: 'p', metric: 'later' },
        { id: `${NS}press.here`, device: 'p', metric: 'here' },
        { id: 'g=not-a-guid', device: 'p', metric: 'guid' },
      ],
    });
    await vi.waitUntil(() => intake.readings.length === 1 && client.status().numbers['badNodes'] === 3, soon);
    expect(client.status()).toMatchObject({
      state: 'degraded',
      detail: expect.stringContaining('no namespace urn:nobody'),
    });
    plant.set('press.later', 7, 0, T0);
    await vi.waitUntil(() => intake.readings.length === 2, soon);
    expect(intake.of('p/later')).toMatchObject([{ value: 7, sourceTime: T0 }]);
    expect(client.status().numbers['badNodes']).toBe(2);
  });

  test('a node that goes away is looked for until it is back', async () => {
    const plant = await plantWith();
    plant.set('press.a', 1, 0, T0);
    const { client, intake } = await clientOf(plant.endpointUrl, {
      nodes: [{ id: `${NS}press.a`, device: 'p', metric: 'a' }],
    });
    await vi.waitUntil(() => intake.readings.length === 1, soon);
    plant.remove('press.a');
    await vi.waitUntil(() => client.status().numbers['badNodes'] === 1, soon);
    plant.set('press.a', 2, 0, T0 + 1);
    await vi.waitUntil(() => intake.readings.length === 2, soon);
    expect(client.status()).toMatchObject({ state: 'running', numbers: { items: 1 } });
  });
});

test('a browse rule reads every variable below a path and names it by its path', async () => {
  const plant = await plantWith();
  plant.set('press.oil', 1, 0, T0);
  plant.set('press.hydraulics.pressure', 2, 0, T0);
  plant.set('pump.flow', 3, 0, T0);
  const { intake } = await clientOf(plant.endpointUrl, {
    nodes: [
      { browse: 'Objects/Press/**', device: 'press-1' },
      { browse: 'Objects/P*p/flow', device: 'any' },
    ],
  });
  await vi.waitUntil(() => intake.readings.length === 3, soon);
  expect(intake.readings.map(({ key, value }) => [key, value]).sort()).toEqual([
    ['any/Pump.flow', 3],
    ['press-1/hydraulics.pressure', 2],
    ['press-1/oil', 1],
  ]);
});

describe('outages', () => {
  test('it starts without a server, and reads once there is one', async () => {
    const port = await freePort();
    const { client, intake } = await clientOf(`opc.tcp://127.0.0.1:${port}`, {
      nodes: [{ id: `${NS}press.a`, device: 'p', metric: 'a' }],
    });
    await vi.waitUntil(() => client.status().detail.includes('cannot reach'), soon);
    const plant = await plantWith({ port });
    plant.set('press.a', 1, 0, T0);
    await vi.waitUntil(() => intake.readings.length === 1, soon);
    expect(client.status().state).toBe('running');
  });

  test('a server that restarts with other namespace indices is read again within five seconds', async () => {
    const port = await freePort();
    const first = await plantWith({ port });
    first.set('press.a', 1, 0, T0);
    const { client, intake } = await clientOf(first.endpointUrl, {
      nodes: [{ id: `${NS}press.a`, device: 'p', metric: 'a' }],
    });
    await vi.waitUntil(() => intake.readings.length === 1, soon);
    await first.stop();
    await vi.waitUntil(() => client.status().state === 'degraded', soon);
    const second = await plantWith({ port, namespacesBefore: ['urn:new:before', 'urn:new:too'] });
    second.set('press.a', 2, 0, T0 + 1);
    const since = performance.now();
    await vi.waitUntil(() => intake.readings.some((reading) => reading.value === 2), soon);
    expect(performance.now() - since).toBeLessThan(5_000);
    second.set('press.a', 3, 0, T0 + 2);
    await vi.waitUntil(() => intake.readings.some((reading) => reading.value === 3), soon);
    expect(client.status()).toMatchObject({ state: 'running' });
    expect(client.status().numbers['reconnects']).toBeGreaterThan(0);
  });

  test('a queue that was too short is told as an overflow', async () => {
    const plant = await plantWith();
    plant.set('press.a', 0, 0, T0);
    const { client, intake } = await clientOf(plant.endpointUrl, {
      nodes: [{ id: `${NS}press.a`, device: 'p', metric: 'a', queueSize: 5 }],
    });
    await vi.waitUntil(() => intake.readings.length === 1, soon);
    for (let i = 1; i <= 20; i++) plant.set('press.a', i, 0, T0 + i);
    await vi.waitUntil(() => intake.readings.some((reading) => reading.value === 20), soon);
    expect(client.status().numbers['overflows']).toBeGreaterThan(0);
    expect(client.status().detail).toContain('raise queueSize');
    expect(intake.readings.length).toBeLessThan(21);
  });

  test('while the journal takes nothing, the server is asked to hold its values back', async () => {
    const plant = await plantWith();
    const ids = Array.from({ length: 40 }, (_, i) => `press.m${i}`);
    for (const id of ids) plant.set(id, 0, 0, T0);
    const { client, intake } = await clientOf(plant.endpointUrl, {
      queueSize: 5_000,
      nodes: ids.map((id) => ({ id: NS + id, device: 'p', metric: id })),
    });
    await vi.waitUntil(() => intake.readings.length === 40, soon);
    intake.stuck = true;
    let time = T0;
    const burst = (rows: number) => {
      for (let i = 0; i < rows; i++) {
        time++;
        for (const id of ids) plant.set(id, time, 0, time);
      }
    };
    burst(1_500);
    await vi.waitUntil(() => intake.readings.length >= 50_040, soon);
    burst(1_500);
    // what is under way still comes; then it stays
    let seen = 0;
    await vi.waitUntil(
      () => {
        const still = intake.readings.length === seen;
        seen = intake.readings.length;
        return still;
      },
      { timeout: 10_000, interval: 300 },
    );
    expect(seen).toBeLessThan(120_040);
    intake.stuck = false;
    intake.release();
    await vi.waitUntil(() => intake.readings.length === 120_040, soon);
    expect(client.status().numbers['unacknowledged']).toBeLessThan(50_000);
    expect(client.status().numbers['overflows']).toBe(0);
  });
});

describe('users', () => {
  test('a right password is let in, a wrong one is told', async () => {
    const plant = await plantWith({ allowAnonymous: false, user: { name: 'gateway', password: 's3cret' } });
    plant.set('press.a', 1, 0, T0);
    const nodes = [{ id: `${NS}press.a`, device: 'p', metric: 'a' }];
    const right = await clientOf(plant.endpointUrl, { nodes, security: { user: 'gateway', password: 's3cret' } });
    const wrong = await clientOf(plant.endpointUrl, { nodes, security: { user: 'gateway', password: 'guess' } });
    await vi.waitUntil(() => right.intake.readings.length === 1, soon);
    await vi.waitUntil(() => wrong.client.status().detail.includes('refuses the user or the password'), soon);
    expect(wrong.client.status().state).toBe('degraded');
    expect(wrong.intake.readings).toEqual([]);
  });
});

test('a node whose names cannot be a series is told in the status with the reason', async () => {
  const plant = await plantWith();
  plant.set('press.a', 1, 0, T0);
  const { client } = await clientOf(plant.endpointUrl, {
    nodes: [{ id: `${NS}press.a`, device: '', metric: 'a' }],
  });
  await vi.waitUntil(() => client.status().detail.includes('the device is empty'), soon);
  expect(client.status().numbers['badNodes']).toBe(1);
});

test('what cannot be right is refused when the source is made', () => {
  const make = (options: Partial<OpcuaOptions>) => () =>
    new OpcuaClient(
      { name: 'x', endpoint: 'opc.tcp://h:4840', nodes: [], pkiPath: folder, ...options },
      new RecordingIntake(),
      {
        clock: systemClock,
        logger: silentLogger,
      },
    );
  expect(make({})).not.toThrow();
  expect(make({ endpoint: 'http://h' })).toThrow('at "http://h"');
  expect(make({ nodes: [{ id: 'Oil.Temperature', device: 'd', metric: 'm' }] })).toThrow('"Oil.Temperature"');
  expect(make({ publishingIntervalMs: 1 })).toThrow('each 1 ms');
  expect(make({ security: { policy: 'Basic256Sha256', mode: 'None' } })).toThrow('mode None');
});

test('stop is safe before start and twice', async () => {
  const client = new OpcuaClient(
    { name: 'x', endpoint: 'opc.tcp://h:4840', nodes: [], pkiPath: folder },
    new RecordingIntake(),
    {
      clock: systemClock,
      logger: silentLogger,
    },
  );
  await client.stop(AbortSignal.timeout(1_000));
  await client.stop(AbortSignal.timeout(1_000));
  expect(client.status().state).toBe('stopped');
});
