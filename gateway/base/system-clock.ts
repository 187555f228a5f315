import { readFileSync } from 'node:fs';
import type { Clock } from '../core/clock.ts';

/** `performance.now()` begins with the process; the clock of the kernel that it reads begins with the boot, and is the same for all. */
const processBeganMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** The clocks of the machine. Timers it starts do not keep the process alive longer than their wait. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => processBeganMs + performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const wake = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      signal?.addEventListener('abort', wake, { once: true });
    }),
};

/** Names this run of the operating system, over which the monotonic clock goes on; where the system has no name for it, this process. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    // not Linux: times cannot be put right over a restart of the gateway
    return `process ${process.pid} of ${performance.timeOrigin}`;
  }
}
