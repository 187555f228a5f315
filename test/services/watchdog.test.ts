import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { publishFrame, RawClient } from '../devices/mqtt/raw-client.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { GatewayProcess, type Launch } from './gateway-process.ts';
import { requireProgram } from './require-program.ts';

const python = requireProgram('python3');
const systemdNotify = requireProgram('systemd-notify');
const strace = requireProgram('strace');

const WATCHDOG_MS = 1_000;

let folder: string;
let port: number;
let gateway: GatewayProcess;
let systemd: ChildProcess;
/** What systemd was told, with the time. */
let told: { readonly at: number; readonly message: Readonly<Record<string, string>> }[];

describe.runIf(python !== undefined && systemdNotify !== undefined)('systemd', () => {
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'headgate-watchdog-'));
    port = await freePort();
    told = [];
    const program = join(import.meta.dirname, 'notify-socket.py');
    systemd = spawn(python!, [program, join(folder, 'notify')], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: systemd.stdout! });
    await once(lines, 'line');
    lines.on('line', (line) => told.push({ at: performance.now(), message: JSON.parse(line) }));
    const api = await freePort();
    const text = `
storage: { path: ${join(folder, 'data')}, keepFree: 1 MiB }
sources: [{ name: floor, type: mqtt, listen: "127.0.0.1:${port}", readings: [{ topic: "sensors/_/+" }] }]
api: { listen: 127.0.0.1:${api} }
`;
    gateway = await GatewayProcess.prepare(folder, text, `http://127.0.0.1:${api}`);
  });

  afterEach(async () => {
    await gateway.kill();
    systemd.stdin!.end();
    await rm(folder, { recursive: true, force: true });
  });

  function start(launch: Launch = {}): Promise<void> {
    const environment = {
      NOTIFY_SOCKET: join(folder, 'notify'),
      WATCHDOG_USEC: String(WATCHDOG_MS * 1000),
      ...launch.environment,
    };
    return gateway.start({ ...launch, environment });
  }

  function pings(): readonly number[] {
    return told.filter(({ message }) => message['WATCHDOG'] === '1').map(({ at }) => at);
  }

  async function pingsGoOn(): Promise<void> {
    const before = pings().length;
    await eventually('two more pings', () => pings().length >= before + 2, 5_000);
  }

  /** Lets two of its times pass; how many pings came in the second. */
  async function pingsLater(): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, WATCHDOG_MS));
    const before = pings().length;
    await new Promise((resolve) => setTimeout(resolve, WATCHDOG_MS));
    return pings().length - before;
  }

  test('hears when the gateway is ready, in time that it works, and when it stops', async () => {
    await start();
    await eventually('READY', () => told.length > 0, 5_000);
    expect(told[0]!.message).toMatchObject({ READY: '1', STATUS: expect.stringMatching(/^(running|degraded)/) });
    for (let i = 0; i < 3; i++) await pingsGoOn();
    const times = pings();
    for (let i = 1; i < times.length; i++) expect(times[i]! - times[i - 1]!).toBeLessThan(WATCHDOG_MS);
    expect(await gateway.stop()).toBe(0);
    expect(told.at(-1)!.message).toEqual({ STOPPING: '1', STATUS: 'stopping' });
    // What programs tell that the gateway has asked something is not the gateway's.
    const words = new Set(told.flatMap(({ message }) => Object.keys(message)));
    expect([...words].sort()).toEqual(['READY', 'STATUS', 'STOPPING', 'WATCHDOG']);
  });

  test('hears nothing of a process that stands still, and of it again when it goes on', async () => {
    await start();
    await pingsGoOn();
    gateway.signal('SIGSTOP');
    expect(await pingsLater()).toBe(0);
    gateway.signal('SIGCONT');
    await pingsGoOn();
  });

  test.runIf(strace !== undefined)(
    'hears nothing while nothing becomes durable and the disk says no reason',
    {
      timeout: 30_000,
    },
    async () => {
      await start({
        through: [
          ...[strace!, '-D', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=fdatasync'],
          ...['-e', 'inject=fdatasync:delay_enter=6000000:when=30+'],
        ],
        environment: { UV_THREADPOOL_SIZE: '1' },
      });
      await pingsGoOn();
      const client = await RawClient.connect(port, { id: 'press' });
      let id = 1;
      let isStuck = false;
      while (!isStuck) {
        client.send(publishFrame({ topic: 'sensors/press/oil', payload: '1', id: id++ }));
        isStuck = await client.frame(500).then(
          () => false,
          () => true,
        );
        expect(id).toBeLessThan(200);
      }
      expect(await pingsLater()).toBe(0);
      expect((await gateway.status()).journal.trouble).toBeUndefined();
      expect(gateway.output).toContain('the watchdog is let expire');
      // The disk answers again.
      await client.frame(10_000);
      client.close();
      await pingsGoOn();
    },
  );
});
