import { describe, expect, test } from 'vitest';
import { askTimeService, type BoxQuestions, thisBox } from '../../../gateway/base/time-service.ts';

const never = new AbortController().signal;

/** A box that has some programs, with what they print. */
function box(programs: Record<string, string>, files: readonly string[] = []): BoxQuestions {
  return { run: async (program) => programs[program], exists: async (path) => files.includes(path) };
}

const TRACKING =
  'C0248F82,192.36.143.130,2,1780272000.1,0.00001,-0.0000126,0.0000345,-16.3,0.003,0.03,0.02,0.0008,64.5';
const ADJTIMEX = '         mode: 0\n       offset: -2\n    frequency: 132\n     maxerror: 5000\n';

describe.each([
  { what: 'nothing', programs: {}, state: 'unknown', source: 'nothing on this box tells' },
  {
    what: 'timedatectl: yes',
    programs: { timedatectl: 'NTP=yes\nNTPSynchronized=yes\n' },
    state: 'synchronised',
    source: 'timedatectl',
  },
  {
    what: 'timedatectl: not yet',
    programs: { timedatectl: 'NTP=yes\nNTPSynchronized=no\n' },
    state: 'unsynchronised',
    source: 'timedatectl',
  },
  { what: 'timedatectl: no service', programs: { timedatectl: 'NTP=no\nNTPSynchronized=no\n' }, state: 'unknown' },
  {
    what: 'chronyc: yes',
    programs: { timedatectl: 'NTP=no\n', chronyc: `${TRACKING},Normal\n` },
    state: 'synchronised',
    source: 'chronyc',
  },
  {
    what: 'chronyc: a leap second is due',
    programs: { chronyc: `${TRACKING},Insert second\n` },
    state: 'synchronised',
  },
  {
    what: 'chronyc: not yet',
    programs: { chronyc: `${TRACKING},Not synchronised\n` },
    state: 'unsynchronised',
    source: 'chronyc',
  },
  { what: 'chronyc: something new', programs: { chronyc: 'hello\n' }, state: 'unknown' },
  {
    what: 'adjtimex: yes',
    programs: { adjtimex: `${ADJTIMEX}       status: 8193\nreturn value: 0\n` },
    state: 'synchronised',
    source: 'adjtimex',
  },
  {
    what: 'adjtimex: STA_UNSYNC',
    programs: { adjtimex: `${ADJTIMEX}       status: 64\nreturn value: 5\n` },
    state: 'unknown',
  },
  {
    what: 'BusyBox',
    programs: { busybox: `${ADJTIMEX}    status:       8193 (PLL | NANO)\n` },
    state: 'synchronised',
    source: 'busybox',
  },
  {
    what: 'a service at work, and a kernel that is synchronised by another',
    programs: { timedatectl: 'NTP=yes\nNTPSynchronized=no\n', adjtimex: 'status: 1\n' },
    state: 'synchronised',
    source: 'adjtimex',
  },
])('a box that says: $what', ({ programs, state, source }) => {
  test(`is ${state}`, async () => {
    const answer = await askTimeService(box(programs as Record<string, string>), never);
    expect(answer.state).toBe(state);
    if (source !== undefined) expect(answer.source).toBe(source);
  });
});

test('the file of systemd-timesyncd is enough, and no program is started', async () => {
  const quick: BoxQuestions = {
    run: () => Promise.reject(new Error('a program was started')),
    exists: async (path) => path === '/run/systemd/timesync/synchronized',
  };
  expect(await askTimeService(quick, never)).toEqual({ state: 'synchronised', source: 'systemd-timesyncd' });
});

test('a real program tells what it prints; one that is missing, fails or hangs tells nothing', async () => {
  expect(await thisBox.run('printf', ['NTP=yes'], never)).toBe('NTP=yes');
  expect(await thisBox.run('no-such-program', [], never)).toBeUndefined();
  expect(await thisBox.run('false', [], never)).toBeUndefined();
  expect(await thisBox.run('sleep', ['60'], AbortSignal.timeout(50))).toBeUndefined();
  expect(await thisBox.exists('/proc')).toBe(true);
  expect(await thisBox.exists('/proc/no-such-file')).toBe(false);
});

test('this box answers, whatever it has', async () => {
  const { state, source } = await askTimeService(thisBox, AbortSignal.timeout(5_000));
  expect(['synchronised', 'unsynchronised', 'unknown']).toContain(state);
  expect(source).not.toBe('');
});
