import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';

/** What a box says about its clock. */
export interface TimeServiceAnswer {
  /** `unsynchronised`: a time service is at work and has not set the clock yet; `unknown`: nobody knows of any. */
  readonly state: 'synchronised' | 'unsynchronised' | 'unknown';
  /** Who says so, for a person. */
  readonly source: string;
}

/** How a box is asked. */
export interface BoxQuestions {
  /** The standard output of a program; undefined where it is missing, fails, or is not done when `signal` aborts. */
  run(program: string, parameters: readonly string[], signal: AbortSignal): Promise<string | undefined>;
  /** Whether there is such a file. */
  exists(path: string): Promise<boolean>;
}

const UNKNOWN: TimeServiceAnswer = { state: 'unknown', source: 'nothing on this box tells' };

/**
 * Asks a box whether its clock is synchronised. All roads lead to the state that the kernel keeps for `adjtimex`, or to the service that sets
 * it: systemd's file and `timedatectl`, `chronyc`, and `adjtimex` itself (also of BusyBox). The kernel alone cannot tell that the clock
 * will be synchronised soon, so without a time service its "no" is unknown. Never rejects.
 */
export async function askTimeService(box: BoxQuestions, signal: AbortSignal): Promise<TimeServiceAnswer> {
  if (await box.exists('/run/systemd/timesync/synchronized')) {
    return { state: 'synchronised', source: 'systemd-timesyncd' };
  }
  const asked = [
    { program: 'timedatectl', parameters: ['show', '-p', 'NTP', '-p', 'NTPSynchronized'], read: ofTimedatectl },
    { program: 'chronyc', parameters: ['-c', 'tracking'], read: ofChronyc },
    { program: 'adjtimex', parameters: ['--print'], read: ofAdjtimex },
    { program: 'busybox', parameters: ['adjtimex'], read: ofAdjtimex },
  ];
  let found = UNKNOWN;
  for (const { program, parameters, read } of asked) {
    const output = await box.run(program, parameters, signal);
    const state = output === undefined ? 'unknown' : read(output);
    if (state === 'synchronised') return { state, source: program };
    if (state === 'unsynchronised' && found === UNKNOWN) found = { state, source: program };
  }
  return found;
}

function ofTimedatectl(output: string): TimeServiceAnswer['state'] {
  if (/^NTPSynchronized=yes$/m.test(output)) return 'synchronised';
  return /^NTP=yes$/m.test(output) ? 'unsynchronised' : 'unknown';
}

/** The last of the comma-separated fields is the leap status: `Not synchronised` is one, all others are synchronised. */
function ofChronyc(output: string): TimeServiceAnswer['state'] {
  const leap = output.trim().split(',').at(-1);
  if (leap === 'Normal' || leap === 'Insert second' || leap === 'Delete second') return 'synchronised';
  return leap === 'Not synchronised' ? 'unsynchronised' : 'unknown';
}

/** STA_UNSYNC of the kernel's <linux/timex.h>. */
const STA_UNSYNC = 0x40;

function ofAdjtimex(output: string): TimeServiceAnswer['state'] {
  const status = /\bstatus:\s*(\d+)/.exec(output)?.[1];
  return status !== undefined && (Number(status) & STA_UNSYNC) === 0 ? 'synchronised' : 'unknown';
}

/** The box this process runs on. */
export const thisBox: BoxQuestions = {
  run: (program, parameters, signal) =>
    new Promise((resolve) => {
      execFile(program, parameters, { signal, encoding: 'utf8' }, (error, output) => {
        resolve(error === null ? output : undefined);
      });
    }),
  exists: (path) =>
    access(path).then(
      () => true,
      () => false,
    ),
};
