import { expect, test } from 'vitest';
import { notifyBySystemd, Systemd } from '../../../gateway/commands/systemd.ts';
import { ManualClock, settle } from '../../manual-clock.ts';
import { recordingLogger } from '../../recording-logger.ts';

const PID = 4711;
const SYSTEMD = { NOTIFY_SOCKET: '/run/systemd/notify', WATCHDOG_USEC: '30000000', WATCHDOG_PID: String(PID) };
const WELL = { status: 'running', stuckMs: 0 };

/** A service systemd that keeps what it was told. */
function listening(environment: Record<string, string>, answer: () => Promise<void> = async () => {}) {
  const clock = new ManualClock();
  const logger = recordingLogger();
  const told: string[] = [];
  const notify = async (assignments: readonly string[]) => {
    told.push(assignments.join(' '));
    await answer();
  };
  return { systemd: new Systemd({ environment, pid: PID, clock, logger, notify }), clock, logger, told };
}

test('the watchdog is pinged twice in its time, with the status, until the end', async () => {
  const { systemd, clock, told } = listening(SYSTEMD);
  const ending = new AbortController();
  await systemd.ready(WELL);
  let status = 'running';
  const watching = systemd.watch(() => ({ status, stuckMs: 0 }), ending.signal);
  await clock.advance(15_000);
  status = 'degraded; influx is away';
  await clock.advance(15_000);
  ending.abort();
  await watching;
  await systemd.stopping();
  expect(told).toEqual([
    'READY=1 STATUS=running',
    'WATCHDOG=1 STATUS=running',
    'WATCHDOG=1 STATUS=degraded; influx is away',
    'STOPPING=1 STATUS=stopping',
  ]);
});

test('the watchdog is not pinged while something has been stuck for its time, and again when that is over', async () => {
  const { systemd, clock, told, logger } = listening(SYSTEMD);
  const ending = new AbortController();
  let stuckMs = 29_999;
  const watching = systemd.watch(() => ({ status: 'running', stuckMs }), ending.signal);
  await clock.advance(15_000);
  expect(told).toHaveLength(1);
  stuckMs = 30_000;
  await clock.advance(30_000);
  expect(told).toHaveLength(1);
  expect(logger.lines.map(({ message }) => message)).toContainEqual(expect.stringContaining('let expire'));
  stuckMs = 0;
  await clock.advance(15_000);
  expect(told).toHaveLength(2);
  ending.abort();
  await watching;
});

test.each([
  { why: 'there is no systemd', environment: {} },
  { why: 'its socket has no name', environment: { ...SYSTEMD, NOTIFY_SOCKET: '' } },
])('nothing is told where $why', async ({ environment }) => {
  const { systemd, told } = listening(environment);
  await systemd.ready(WELL);
  await systemd.watch(() => WELL, new AbortController().signal);
  await systemd.stopping();
  expect(told).toEqual([]);
});

test.each([
  { why: 'systemd does not watch', environment: { NOTIFY_SOCKET: '/run/n' } },
  { why: 'it watches another process', environment: { ...SYSTEMD, WATCHDOG_PID: '1' } },
])('there are no pings where $why', async ({ environment }) => {
  const { systemd, told } = listening(environment);
  await systemd.watch(() => WELL, new AbortController().signal);
  await systemd.ready(WELL);
  expect(told).toEqual(['READY=1 STATUS=running']);
});

test('a message waits for the one before, so that systemd hears them in order', async () => {
  const answers: (() => void)[] = [];
  const { systemd, told } = listening(SYSTEMD, () => new Promise((resolve) => answers.push(resolve)));
  void systemd.ready(WELL);
  const stopping = systemd.stopping();
  await settle();
  expect(told).toEqual(['READY=1 STATUS=running']);
  answers.shift()!();
  await settle();
  answers.shift()!();
  await stopping;
  expect(told).toHaveLength(2);
});

test('a systemd that cannot be told is said once, and is no fault', async () => {
  const { systemd, logger } = listening(SYSTEMD, () => Promise.reject(new Error('spawn systemd-notify ENOENT')));
  for (let i = 0; i < 3; i++) await systemd.ready(WELL);
  expect(logger.lines).toMatchObject([{ level: 'error', details: { error: 'spawn systemd-notify ENOENT' } }]);
});

test('where the program of systemd is missing, that is what is said', async () => {
  const notify = notifyBySystemd({ NOTIFY_SOCKET: '/nowhere', PATH: '/nowhere' });
  await expect(notify(['READY=1'])).rejects.toThrow(/systemd-notify/);
});
