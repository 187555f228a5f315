import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { periodically } from '../base/periodically.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/telemetry.ts';

/** How the gateway is, for systemd. */
export interface ServiceHealth {
  /** One line for a person, as `systemctl status` shows it. */
  readonly status: string;
  /** For how long nothing has moved without a reason, in milliseconds; 0 when all is well. */
  readonly stuckMs: number;
}

/** What systemd is told through. */
export interface SystemdParts {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Id of this process: a watchdog may be meant for another one. */
  readonly pid: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Hands assignments such as `READY=1` over. */
  readonly notify: (assignments: readonly string[]) => Promise<void>;
}

/**
 * Tells systemd how the service is (sd_notify(3)): ready, stopping, and as long as it really works, a ping for the watchdog. Silent where
 * no systemd asked to be told. It never rejects: a systemd that cannot be told is said in the log, once.
 */
export class Systemd {
  readonly #parts: SystemdParts;
  readonly #isListening: boolean;
  #told: Promise<void> = Promise.resolve();
  #hasFailed = false;

  constructor(parts: SystemdParts) {
    this.#parts = parts;
    this.#isListening = (parts.environment['NOTIFY_SOCKET'] ?? '') !== '';
  }

  /** Within so many milliseconds systemd wants to hear from this process again; undefined when it does not wait. */
  get watchdogMs(): number | undefined {
    const { WATCHDOG_USEC: usec, WATCHDOG_PID: pid } = this.#parts.environment;
    const isOurs = pid === undefined || Number(pid) === this.#parts.pid;
    return this.#isListening && isOurs && Number(usec) > 0 ? Number(usec) / 1000 : undefined;
  }

  /** The service accepts data. */
  ready(health: ServiceHealth): Promise<void> {
    return this.#tell(['READY=1', `STATUS=${health.status}`]);
  }

  /** The service is about to end. */
  stopping(): Promise<void> {
    return this.#tell(['STOPPING=1', 'STATUS=stopping']);
  }

  /**
   * Pings the watchdog until `signal` aborts: twice in its time, as sd_watchdog_enabled(3) recommends, by a timer of the event loop, so
   * only while that turns; and not while something has been stuck for longer than that time.
   */
  async watch(health: () => ServiceHealth, signal: AbortSignal): Promise<void> {
    const { watchdogMs } = this;
    if (watchdogMs === undefined) return;
    const { clock, logger } = this.#parts;
    const ping = async () => {
      const { status, stuckMs } = health();
      if (stuckMs < watchdogMs) return this.#tell(['WATCHDOG=1', `STATUS=${status}`]);
      logger.error(
        { stuckMs: Math.round(stuckMs) },
        'nothing becomes durable, and the disk tells no reason: the watchdog is let expire',
      );
    };
    const failed = (error: unknown) => logger.error({ error: messageOf(error) }, 'cannot tell how the gateway is');
    await periodically(clock, watchdogMs / 2, signal, ping, failed);
  }

  /** In order, one at a time. */
  #tell(assignments: readonly string[]): Promise<void> {
    if (!this.#isListening) return this.#told;
    this.#told = this.#told.then(() => this.#notify(assignments));
    return this.#told;
  }

  async #notify(assignments: readonly string[]): Promise<void> {
    const { notify, logger } = this.#parts;
    try {
      await notify(assignments);
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#hasFailed) logger.error({ assignments, error: messageOf(error) }, 'cannot tell systemd');
      this.#hasFailed = true;
    }
  }
}

/** systemd answers within this, in milliseconds, or is busy. */
const ANSWER_WITHIN_MS = 5_000;
const run = promisify(execFile);

/**
 * Hands assignments over by the program of systemd: Node has no datagram sockets for it. The unit needs `NotifyAccess=all`, as it is a process of
 * its own; the program ends when systemd has taken the message, so that this knows whose it was.
 */
export function notifyBySystemd(
  environment: Readonly<Record<string, string | undefined>>,
): (assignments: readonly string[]) => Promise<void> {
  const env = { NOTIFY_SOCKET: environment['NOTIFY_SOCKET'], PATH: environment['PATH'] };
  return async (assignments) => {
    await run('systemd-notify', assignments, { env, timeout: ANSWER_WITHIN_MS });
  };
}
