import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { InfluxDB } from 'influx';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../gateway/base/system-clock.ts';
import { Random } from '../../simulators/random.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { GatewayProcess } from './gateway-process.ts';
import { requireProgram } from './require-program.ts';
import { uncounted } from './uncounted.ts';

const T0 = Date.UTC(2026, 0, 5, 6);
const SEED = Number(process.env['HEADGATE_SEED'] ?? systemClock.now());

let folder: string;
let gateway: GatewayProcess;
let apiPort: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headgate-writes-'));
  apiPort = await freePort();
  const text = `
storage: { path: ${join(folder, 'data')}, keepFree: 1 MiB, checkpointEvery: 400ms }
time: { idleTimeout: 2s }
windows:
  - { name: s, series: "*", window: { tumbling: 1s, allowedLateness: 1h }, aggregates: [count, sum, min, max] }
api: { listen: 127.0.0.1:${apiPort} }
`;
  gateway = await GatewayProcess.start(folder, text, `http://127.0.0.1:${apiPort}`);
});

afterEach(async () => {
  await gateway?.kill();
  await rm(folder, { recursive: true, force: true });
});

interface Series {
  readonly key: string;
  readonly last: { readonly value: unknown; readonly sourceTime: number } | null;
}

async function lastValues(): Promise<Record<string, unknown>> {
  const { series } = await gateway.get<{ series: readonly Series[] }>('/api/v1/series');
  return Object.fromEntries(series.map(({ key, last }) => [key, last?.value]));
}

test('a client library of InfluxDB creates its database and writes as it does elsewhere', async () => {
  const influx = new InfluxDB({ host: '127.0.0.1', port: apiPort, database: 'telegraf' });
  expect((await influx.ping(5000)).map(({ online, version }) => [online, version])).toEqual([[true, '1.8-headgate']]);
  await influx.createDatabase('telegraf');
  await influx.writePoints(
    [
      { measurement: 'cpu', tags: { host: 'box-1' }, fields: { usage: 12.5 }, timestamp: new Date(T0) },
      { measurement: 'door', tags: { device: 'hall', side: 'north west' }, fields: { value: true } },
    ],
    { precision: 'ms' },
  );
  expect(await lastValues()).toEqual({ 'box-1/cpu_usage': 12.5, 'hall/door;side=north west': true });
  await expect(influx.writePoints([{ measurement: 'cpu', fields: { a: 1 }, timestamp: new Date(0) }])).rejects.toThrow(
    /partial write: .* dropped=1/,
  );
});

const curl = requireProgram('curl');

test.skipIf(curl === undefined)(
  'curl writes gzip, and hears of lines that were dropped and of bodies that are too large',
  async () => {
    const file = join(folder, 'body');
    const post = (path: string, body: Uint8Array | string, ...more: string[]) => {
      writeFileSync(file, body);
      const url = `${gateway.apiUrl}${path}`;
      return execFileSync(
        'curl',
        ['-sS', '-o', '-', '-w', '\n%{http_code}', ...more, '--data-binary', `@${file}`, url],
        {
          encoding: 'utf8',
        },
      );
    };
    const gzip = ['-H', 'Content-Encoding: gzip'];
    expect(post('/api/v2/write?bucket=b&org=o&precision=s', gzipSync(`a v=1 ${T0 / 1000}`), ...gzip)).toBe('\n204');
    expect(post('/write?db=x', 'b v=2\nb v=\nb w=4')).toMatch(/^\{"error":"partial write: .* dropped=1"\}\n400$/);
    expect(await lastValues()).toEqual({ 'a/a_v': 1, 'b/b_v': 2, 'b/b_w': 4 });
    expect(post('/api/v1/write', Buffer.alloc(17 * 1024 * 1024, 'a'))).toMatch(/"status":413.*\n413$/);
    expect(post('/api/v1/write', gzipSync(Buffer.alloc(100 * 1024 * 1024)), ...gzip)).toMatch(/\n413$/);
    const status = await gateway.status();
    expect(status.sources).toMatchObject([
      { name: 'http', type: 'http', ledger: { received: 4, aggregated: 3, rejected: 1 } },
    ]);
    expect(uncounted(status)).toBe(0);
  },
);

const BATCH = 50;
const WRITERS = 4;
const KILLS = 5;

/** A device that writes numbered readings in batches, and writes a batch again until it is answered 204. */
class Writer {
  readonly device: string;
  #ending = false;
  acknowledged = 0;
  repeated = 0;

  constructor(device: string) {
    this.device = device;
  }

  async run(): Promise<void> {
    while (!this.#ending) {
      const lines = Array.from({ length: BATCH }, (_, i) => {
        const seq = this.acknowledged + i;
        return `m,device=${this.device} value=${seq} ${T0 + seq * 10}`;
      });
      while (!(await this.#isWritten(lines.join('\n')))) this.repeated++;
      this.acknowledged += BATCH;
    }
  }

  end(): void {
    this.#ending = true;
  }

  async #isWritten(body: string): Promise<boolean> {
    try {
      const answer = await fetch(`${gateway.apiUrl}/api/v1/write?precision=ms`, { method: 'POST', body });
      if (answer.status === 204) return true;
      if (answer.status !== 503) throw new Error(`answered ${answer.status}: ${await answer.text()}`);
    } catch (error) {
      // The gateway is down: fetch says so with a TypeError.
      if (!(error instanceof TypeError)) throw error;
    }
    await systemClock.sleep(20);
    return false;
  }
}

test('what was answered 204 is kept, exactly once, however often the gateway is killed', {
  timeout: 60_000,
}, async () => {
  const random = new Random(SEED);
  process.stderr.write(`seed ${SEED}\n`);
  const writers = Array.from({ length: WRITERS }, (_, i) => new Writer(`writer-${i}`));
  const running = writers.map((writer) => writer.run());
  for (let kill = 0; kill < KILLS; kill++) {
    const before = writers[0]!.acknowledged;
    await eventually('readings are written', async () => writers[0]!.acknowledged > before + 10 * BATCH);
    await systemClock.sleep(random.between(0, 200));
    await gateway.kill();
    await gateway.start();
  }
  for (const writer of writers) writer.end();
  await Promise.all(running);
  const total = writers.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  process.stderr.write(`${total} readings acknowledged\n`);
  expect(writers.some(({ repeated }) => repeated > 0)).toBe(true);
  await eventually('everything is analysed', async () => (await gateway.status()).ledger.inFlight === 0);
  const status = await gateway.status();
  expect(status.ledger).toMatchObject({ aggregated: total, late: 0, filtered: 0, rejected: 0, dropped: 0 });
  expect(uncounted(status)).toBe(0);
});
