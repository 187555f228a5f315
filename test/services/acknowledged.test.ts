import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../gateway/base/system-clock.ts';
import { imbalance } from '../../gateway/runtime/ledger.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { GatewayProcess } from './gateway-process.ts';

const T0 = Date.UTC(2026, 0, 5, 6);
const DEVICES = 4;
const IN_FLIGHT = 200;
const KILLS = 5;
/** Readings of a device in a window of a second. */
const PER_WINDOW = 100;
const SEED = Number(process.env['HEADGATE_SEED'] ?? systemClock.now());

interface Publisher {
  readonly name: string;
  readonly acknowledged: number;
  readonly connections: number;
}

interface AggregatesReply {
  readonly aggregates: readonly { readonly start: number; readonly fields: Readonly<Record<string, number>> }[];
}

let folder: string;
let gateway: GatewayProcess;
let port: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headgate-acknowledged-'));
  port = await freePort();
  const api = await freePort();
  const text = `
storage: { path: ${join(folder, 'data')}, keepFree: 1 MiB, checkpointEvery: 400ms }
time: { idleTimeout: 2s }
sources:
  - name: floor
    type: mqtt
    listen: 127.0.0.1:${port}
    readings:
      - { topic: sensors/_/+, template: _/device/metric, json: { value: value, time: ts, timeUnit: ms } }
windows:
  - { name: s, series: "*", window: { tumbling: 1s, allowedLateness: 1h }, aggregates: [count, sum, min, max] }
api: { listen: 127.0.0.1:${api} }
`;
  gateway = await GatewayProcess.start(folder, text, `http://127.0.0.1:${api}`);
});

afterEach(async () => {
  await gateway?.kill();
  await rm(folder, { recursive: true, force: true });
});

/** Each reading of a device is in its window, once: `first`, `first + 1` … up to 100 of them. */
function expectedWindows(acknowledged: number): readonly object[] {
  return Array.from({ length: Math.ceil(acknowledged / PER_WINDOW) }, (_, i) => {
    const first = i * PER_WINDOW;
    const last = Math.min(acknowledged, first + PER_WINDOW) - 1;
    const count = last - first + 1;
    return { start: T0 + i * 1000, fields: { count, sum: ((first + last) * count) / 2, min: first, max: last } };
  });
}

async function windowsOf(device: string): Promise<readonly object[]> {
  const { aggregates } = await gateway.get<AggregatesReply>(
    `/api/v1/aggregates?series=${device}/seq&window=s&limit=10000`,
  );
  return aggregates.map(({ start, fields: { count, sum, min, max } }) => ({ start, fields: { count, sum, min, max } }));
}

test('what was acknowledged is kept, exactly once, however often the gateway is killed', {
  timeout: 60_000,
}, async () => {
  let seed = SEED;
  // A linear congruential generator is random enough for moments.
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed / 2 ** 31;
  };
  process.stderr.write(`seed ${SEED}\n`);
  const program = join(import.meta.dirname, 'steady-publisher.ts');
  const child = spawn(process.execPath, [program, ...[port, DEVICES, IN_FLIGHT, T0].map(String)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const ended = once(child, 'close');
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      const before = (await gateway.status()).ledger.received;
      await eventually('readings arrive', async () => (await gateway.status()).ledger.received > before + IN_FLIGHT);
      await systemClock.sleep(random() * 300);
      await gateway.kill();
      await gateway.start();
    }
    child.stdin.end();
    await ended;
  } finally {
    child.kill('SIGKILL');
  }
  const publishers = JSON.parse(output) as readonly Publisher[];
  const total = publishers.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  process.stderr.write(`${total} readings acknowledged\n`);
  expect(publishers).toHaveLength(DEVICES);
  for (const { connections, acknowledged } of publishers) {
    expect(connections).toBeGreaterThan(KILLS);
    expect(acknowledged).toBeGreaterThan(KILLS * IN_FLIGHT);
  }
  for (const { name, acknowledged } of publishers) {
    const last = expectedWindows(acknowledged).at(-1);
    await eventually(
      'the last window is stored',
      async () => JSON.stringify((await windowsOf(name)).at(-1)) === JSON.stringify(last),
    );
    expect(await windowsOf(name)).toEqual(expectedWindows(acknowledged));
  }
  const { ledger } = await gateway.status();
  expect(ledger).toMatchObject({ aggregated: total, inFlight: 0, late: 0, filtered: 0, rejected: 0, dropped: 0 });
  expect(imbalance(ledger)).toBe(0);
});
