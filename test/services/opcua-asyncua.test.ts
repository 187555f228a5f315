import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { OPCUACertificateManager } from 'node-opcua-certificate-manager';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { OpcuaClient } from '../../devices/opcua/opcua-client.ts';
import type { OpcuaOptions } from '../../devices/opcua/options.ts';
import { systemClock } from '../../gateway/base/system-clock.ts';
import { Quality } from '../../gateway/core/quality.ts';
import { RecordingIntake, silentLogger } from '../devices/opcua/recording-intake.ts';
import { freePort } from './free-port.ts';
import { requireProgram } from './require-program.ts';

const python = pythonWithAsyncua();
const NS = 'nsu=http://acme.example/press;s=Press.';
const T0 = Date.UTC(2024, 0, 1);
const soon = { timeout: 15_000, interval: 10 };

/** The Python that can import asyncua, or undefined, with the reason printed. */
function pythonWithAsyncua(): string | undefined {
  const program = requireProgram('python3');
  if (program === undefined) return undefined;
  try {
    execFileSync(program, ['-c', 'import asyncua'], { stdio: 'ignore' });
    return program;
  } catch {
    const reason = 'the Python package asyncua is not installed (pip install asyncua)';
    if (process.env['HEADGATE_REQUIRE_SERVICES'] === '1') throw new Error(`Cannot run the service tests: ${reason}`);
    process.stderr.write(`skipped: ${reason}\n`);
    return undefined;
  }
}

/** A server of asyncua in a process of its own. */
class AsyncuaServer {
  readonly port: number;
  readonly process: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.process = child;
    this.#answers = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  }

  static async start(port: number, ...security: string[]): Promise<AsyncuaServer> {
    const child = spawn(python!, [join(import.meta.dirname, 'asyncua-server.py'), String(port), ...security], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const server = new AsyncuaServer(port, child);
    cleanups.push(async () => child.kill('SIGKILL'));
    expect((await server.#answers.next()).value).toBe(`ready ${port}`);
    return server;
  }

  async set(name: string, value: number, status = 0, time = T0): Promise<void> {
    this.process.stdin!.write(`${JSON.stringify({ set: name, value, status, time })}\n`);
    expect((await this.#answers.next()).value).toBe('done');
  }
}

let folder: string;
const cleanups: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opcua-asyncua-'));
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function clientOf(port: number, options: Partial<OpcuaOptions> & Pick<OpcuaOptions, 'nodes'>) {
  const intake = new RecordingIntake();
  const endpoint = `opc.tcp://127.0.0.1:${port}/plant/`;
  const defaults = {
    name: 'press',
    endpoint,
    publishingIntervalMs: 50,
    retryMs: 200,
    pkiPath: join(folder, 'gateway'),
  };
  const client = new OpcuaClient({ ...defaults, ...options }, intake, { clock: systemClock, logger: silentLogger });
  await client.start(AbortSignal.timeout(5_000));
  cleanups.push(() => client.stop(AbortSignal.timeout(5_000)));
  return { client, intake };
}

describe.skipIf(python === undefined)('with the stack asyncua', () => {
  test('listed nodes are read with source time and quality, missing ones waited for', async () => {
    const server = await AsyncuaServer.start(await freePort());
    await server.set('Oil', 46.5, 0, T0 + 0.25);
    const { client, intake } = await clientOf(server.port, {
      nodes: [
        { id: `${NS}Later`, device: 'press-1', metric: 'later' },
        { id: `${NS}Oil`, device: 'press-1', metric: 'oil' },
      ],
    });
    await vi.waitUntil(() => intake.readings.length === 1, soon);
    await server.set('Oil', 47, 0x40000000, T0 + 1000);
    await vi.waitUntil(() => intake.readings.length === 2, soon);
    expect(intake.readings).toEqual([
      { key: 'press-1/oil', value: 46.5, quality: Quality.good, sourceTime: T0 + 0.25 },
      { key: 'press-1/oil', value: 47, quality: Quality.uncertain, sourceTime: T0 + 1000 },
    ]);
    expect(client.status().numbers).toMatchObject({ items: 1, badNodes: 1 });
    await server.set('Later', 3, 0, T0 + 2000);
    await vi.waitUntil(() => intake.of('press-1/later').some((reading) => reading.value === 3), soon);
    expect(client.status().state).toBe('running');
  });

  test('a browse rule finds the variables, and every change of a burst arrives in order', async () => {
    const server = await AsyncuaServer.start(await freePort());
    await server.set('Oil', 0, 0, T0);
    await server.set('Flow', 0, 0, T0);
    const { intake } = await clientOf(server.port, { nodes: [{ browse: 'Objects/Press/**', device: 'press-1' }] });
    await vi.waitUntil(() => intake.readings.length === 2, soon);
    for (let i = 1; i <= 300; i++) {
      await server.set('Oil', i, 0, T0 + i);
      await server.set('Flow', 7, 0, T0 + i);
    }
    await vi.waitUntil(() => intake.readings.length >= 602, soon);
    const numbers = Array.from({ length: 301 }, (_, i) => i);
    expect(intake.of('press-1/Oil').map(({ value, sourceTime }) => [value, sourceTime])).toEqual(
      numbers.map((i) => [i, T0 + i]),
    );
    expect(intake.of('press-1/Flow').map((reading) => reading.sourceTime)).toEqual(numbers.map((i) => T0 + i));
  });

  test('a killed server is read again within five seconds of its return', async () => {
    const port = await freePort();
    const first = await AsyncuaServer.start(port);
    await first.set('Oil', 1, 0, T0);
    const { client, intake } = await clientOf(port, { nodes: [{ id: `${NS}Oil`, device: 'p', metric: 'oil' }] });
    await vi.waitUntil(() => intake.readings.length === 1, soon);
    first.process.kill('SIGKILL');
    await vi.waitUntil(() => client.status().state === 'degraded', soon);
    const second = await AsyncuaServer.start(port);
    await second.set('Oil', 2, 0, T0 + 1);
    const since = performance.now();
    await vi.waitUntil(() => intake.readings.some((reading) => reading.value === 2), soon);
    expect(performance.now() - since).toBeLessThan(5_000);
  });

  test('an encrypted connection is made once the server is trusted', async () => {
    const server = await AsyncuaServer.start(await freePort(), ...(await serverIdentity()));
    await server.set('Oil', 5, 0, T0);
    const pkiPath = join(folder, 'gateway-secure');
    const { client, intake } = await clientOf(server.port, {
      nodes: [{ id: `${NS}Oil`, device: 'p', metric: 'oil' }],
      security: { policy: 'Basic256Sha256' },
      pkiPath,
    });
    await vi.waitUntil(() => client.status().detail.includes('is not trusted'), soon);
    expect(intake.readings).toEqual([]);
    for (const name of await readdir(join(pkiPath, 'rejected'))) {
      await rename(join(pkiPath, 'rejected', name), join(pkiPath, 'trusted/certs', name));
    }
    await vi.waitUntil(() => intake.readings.length === 1, soon);
    expect(intake.readings).toMatchObject([{ value: 5, sourceTime: T0 }]);
  });
});

/** A key and a self-signed certificate for the server: their paths, and its application URI. */
async function serverIdentity(): Promise<string[]> {
  const rootFolder = join(folder, 'server');
  const certificate = join(rootFolder, 'certificate.pem');
  const pki = new OPCUACertificateManager({ rootFolder, keySize: 2048, disableFileWatchers: true });
  await pki.initialize();
  await pki.createSelfSignedCertificate({
    applicationUri: 'urn:acme:press',
    dns: [hostname(), 'localhost'],
    ip: ['127.0.0.1'],
    startDate: new Date(systemClock.now() - 60_000),
    validity: 365,
    subject: 'CN=press',
    outputFile: certificate,
  });
  const key = pki.privateKey;
  await pki.dispose();
  return [certificate, key, 'urn:acme:press'];
}
