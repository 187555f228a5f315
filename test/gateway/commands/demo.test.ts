import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../services/eventually.ts';
import { freePort } from '../../services/free-port.ts';
import { Headgate, headgate, scratch } from './headgate.ts';

let folder: string;
let remove: () => Promise<void>;

beforeAll(async () => {
  ({ folder, remove } = await scratch());
});
afterAll(() => remove());

interface SeriesReply {
  readonly series: readonly { readonly key: string }[];
}

test('the demonstration shows a plant on the ports that it is given, and takes it along where it is killed', async () => {
  const [mqtt, page] = [await freePort(), await freePort()];
  const demo = new Headgate(['demo', '--mqtt', String(mqtt), '--page', String(page)], folder);
  onTestFinished(() => {
    demo.process.kill('SIGKILL');
  });
  await eventually('it greets', () => demo.stderr.includes(`mosquitto_pub -p ${mqtt} `));
  expect(demo.stderr).toContain(`Page   http://127.0.0.1:${page}/`);
  await eventually('the plant sends', async () => {
    const reply = await fetch(`http://127.0.0.1:${page}/api/v1/series`);
    return ((await reply.json()) as SeriesReply).series.some(({ key }) => key.startsWith('press-1/'));
  });
  const { pid } = demo.process;
  const plant = Number((await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim());
  expect(plant).toBeGreaterThan(0);
  onTestFinished(() => {
    if (isThere(plant)) process.kill(plant, 'SIGKILL');
  });
  await demo.end('SIGKILL');
  await eventually('the plant has ended', () => !isThere(plant));
});

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('where a port is taken it is said how to take another', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void other.close());
  const { port: taken } = other.address() as { port: number };
  for (const ports of [
    ['--mqtt', String(taken), '--page', String(await freePort())],
    ['--mqtt', String(await freePort()), '--page', String(taken)],
  ]) {
    const { code, stderr } = await headgate(['demo', ...ports], folder);
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`Cannot listen .*127\\.0\\.0\\.1:${taken}`));
    expect(stderr).toContain('npm start -- --mqtt 1884 --page 8081');
  }
});

test.each(['0', '70000', 'x', '1.5'])('%s is no port', async (port) => {
  const { code, stderr } = await headgate(['demo', '--mqtt', port], folder);
  expect(code).toBe(2);
  expect(stderr).toContain('from 1 to 65535');
});
