import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../services/free-port.ts';
import { GatewayProcess } from '../../services/gateway-process.ts';
import { headgate, scratch } from './headgate.ts';

const T0 = Date.UTC(2026, 0, 5, 6);
const iso = (afterMs: number) => new Date(T0 + afterMs).toISOString();

let folder: string;
let remove: () => Promise<void>;
let gateway: GatewayProcess;
let url: string;

beforeAll(async () => {
  ({ folder, remove } = await scratch());
  url = `http://127.0.0.1:${await freePort()}`;
  const text = `
storage: { path: ${join(folder, 'data')}, keepFree: 1 MiB }
# Nothing may close while a busy machine starts one command after the other.
time: { idleTimeout: 1h }
windows: [{ name: second, window: { tumbling: 1s, allowedLateness: 2s }, aggregates: [count] }]
rollups: [{ name: minute, from: second, window: { tumbling: 1m } }]
reduce: [{ series: "*/level", deadband: 1 }]
derive: [{ name: litres, series: "*/flow", value: value * 1000 }]
join:
  - { name: spread, left: "*/flow", right: "*/litres", on: device, tumbling: 1s, aggregate: pairs, value: right - left }
detect: [{ series: "*/level", detector: range, max: 50 }]
api: { listen: "${url.slice('http://'.length)}" }
`;
  await writeFile(join(folder, 'gateway.yaml'), text);
  gateway = await GatewayProcess.start(folder, text, url);
  await write('flow', 1, 500);
  await write('flow', 2, 4200);
  await write('flow', 3, 700);
  await write('level', 5, 100);
  await write('level', 5.5, 200);
});

afterAll(async () => {
  await gateway?.kill();
  await remove();
});

/** One reading, kept when this has resolved. */
async function write(metric: string, value: number, afterMs: number): Promise<void> {
  const reply = await fetch(`${url}/api/v1/write?precision=ms`, {
    method: 'POST',
    body: `${metric},device=press-1 value=${value} ${T0 + afterMs}`,
  });
  expect(reply.status).toBe(204);
}

const explain = (...args: string[]) => headgate(['explain', ...args], folder);

test('the windows of a reading are told, open and closed, and those that had closed before it came', async () => {
  const { code, stdout, stderr } = await explain('press-1/flow', iso(700), '--config', 'gateway.yaml');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toBe(`press-1/flow at ${iso(700)}: late
  It came too late for a window that holds it: the watermark stood at ${iso(4200)}.
  value 3, good
windows
  second [${iso(0)}, ${iso(1000)}): does not hold it; closed when the watermark was ${iso(3000)}; revision 0
  minute from second [${iso(0)}, ${iso(60_000)}): holds it; open; no result known
read by
  derive:litres: press-1/litres at ${iso(700)}: 3000, good
  join:spread (left): press-1/spread at ${iso(999)}: 999, good
`);
});

test('what derivations and joins have made of a reading is told, and whether more may follow', async () => {
  const { stdout } = await explain('press-1/flow', iso(500), '--url', url);
  expect(stdout).toContain(`read by
  derive:litres: press-1/litres at ${iso(500)}: 1000, good
  join:spread (left): press-1/spread at ${iso(999)}: 999, good
`);
  expect((await explain('press-1/flow', iso(4200), '--url', url)).stdout).toContain(
    `join:spread (left): press-1/spread at ${iso(4999)}: more may follow\n`,
  );
});

test('it is told why the reduction left a reading out, and who judges its series', async () => {
  const { stdout } = await explain('press-1/level', String(T0 + 200), '--url', url);
  expect(stdout).toContain(`press-1/level at ${iso(200)}: reduced
  The reduction left it out: series: */level, deadband: 1.
  value 5.5, good
`);
  expect(stdout).toContain('detectors\n  range max=50\n');
});

test('scripts get what the API says', async () => {
  const { stdout } = await explain('press-1/flow', iso(4200), '--url', url, '--json');
  expect(JSON.parse(stdout)).toMatchObject({ series: 'press-1/flow', time: T0 + 4200, verdict: 'taken' });
});

test('of a time without a reading the nearest are told', async () => {
  const { stdout } = await explain('press-1/flow', iso(600), '--url', url);
  expect(stdout).toContain(': unknown\n  No reading of this time is remembered');
  expect(stdout).toContain(`the nearest that are remembered are of ${iso(500)} and ${iso(700)}`);
});

test.each([
  {
    args: ['press-1/nothing', '1000'],
    says: /The gateway at http:\/\/\S+ says: There is no series 'press-1\/nothing'\n.*\/api\/v1\/series/,
  },
  { args: ['press-1/flow', 'yesterday'], says: /'time': current value is 'yesterday'\n.*ISO 8601/ },
])('what cannot be answered is said as the gateway says it, exit 1: $args', async ({ args, says }) => {
  const { code, stdout, stderr } = await explain(...args, '--url', url);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(says);
});

test('where no gateway runs it is said how to reach one, exit 1', async () => {
  const nobody = `http://127.0.0.1:${await freePort()}`;
  const { code, stderr } = await explain('press-1/flow', '0', '--url', nobody);
  expect(code).toBe(1);
  expect(stderr).toMatch(new RegExp(`^Cannot ask the gateway at ${nobody}: .*ECONNREFUSED`));
  expect(stderr).toContain('headgate run --config FILE');
});
