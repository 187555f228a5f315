import { flushCompileCache } from 'node:module';
import { Command } from 'commander';
import type { Configuration } from '../../config/configuration.ts';
import { redactedYaml } from '../../config/redact.ts';
import { bootId } from '../base/system-clock.ts';
import { finishedWithin } from '../base/time-limit.ts';
import { untilAborted } from '../base/until-aborted.ts';
import { type Assembly, assemble } from '../catalog/assemble.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/telemetry.ts';
import type { Gateway } from '../runtime/gateway.ts';
import { loadFile } from './configuration-file.ts';
import { boundHeap, heapOfProcess } from './heap-bounds.ts';
import { makeLogger } from './logger.ts';
import type { Surroundings } from './surroundings.ts';
import { notifyBySystemd, type ServiceHealth, Systemd } from './systemd.ts';
import { version } from './version.ts';

/** Characters of the status that `systemctl status` shows. */
const MAX_STATUS = 300;

/** `headgate run`: the gateway, until it is asked to stop. */
export function runCommand(surroundings: Surroundings): Command {
  return new Command('run')
    .description('run the gateway')
    .requiredOption('-c, --config <file>', 'the configuration')
    .action(async (options: { config: string }) => {
      const { configuration, text } = await loadFile(options.config, surroundings);
      await runGateway(configuration, text, surroundings, () => undefined);
    });
}

/** Where a running gateway is found. */
export interface Whereabouts {
  readonly pageUrl: string;
  /** Port of the first embedded broker. */
  readonly brokerPort: number | undefined;
}

/**
 * Runs a gateway until the surroundings ask it to stop, which takes five seconds at the most, whatever hangs.
 *
 * @param ready called once it accepts data; what it returns is awaited before the gateway stops
 * @throws whatever made it unable to go on
 */
export async function runGateway(
  configuration: Configuration,
  configurationText: string,
  surroundings: Surroundings,
  ready: (whereabouts: Whereabouts) => Promise<unknown> | undefined,
): Promise<void> {
  const { clock, random, signal } = surroundings;
  const { logger } = await makeLogger({ level: configuration.log.level, pretty: surroundings.isTerminal });
  const failure = Promise.withResolvers<never>();
  const { gateway, api, brokers } = await assemble(configuration, {
    clock,
    boot: bootId(),
    random,
    logger,
    version,
    nodeOptions: [surroundings.environment['NODE_OPTIONS'] ?? '', ...process.execArgv].join(' '),
    configurationText: redactedYaml(configurationText),
    failed: failure.reject,
  });
  const systemd = makeSystemd(surroundings, logger);
  const health = () => healthOf(gateway);
  const running = async () => {
    await gateway.start(signal);
    await api.start(signal);
    // Node would keep the compiled code only at a clean end, and a box that loses its power would compile at every start.
    flushCompileCache();
    void systemd.ready(health());
    const whereabouts = { pageUrl: api.url, brokerPort: brokers[0]?.port };
    const heap = boundHeap(heapOfProcess, clock, logger, signal);
    await Promise.all([untilAborted(signal), ready(whereabouts), systemd.watch(health, signal), heap]);
  };
  try {
    await Promise.race([running(), failure.promise, overdue(signal, clock)]);
    logger.info({}, 'stopping');
  } catch (error) {
    // Asked to stop before it had started: that is no fault.
    if (!signal.aborted || error !== signal.reason) throw error;
  } finally {
    void systemd.stopping();
    await stopInTime({ gateway, api }, clock);
  }
  logger.info({}, gateway.hasHung ? 'stopped' : 'stopped: everything accepted is on the disk');
}

function makeSystemd({ environment, pid, clock }: Surroundings, logger: Logger): Systemd {
  return new Systemd({ environment, pid, clock, logger, notify: notifyBySystemd(environment) });
}

function healthOf(gateway: Gateway): ServiceHealth {
  const { state, sources, sinks } = gateway.status();
  const troubled = [...sources, ...sinks].filter((one) => one.state !== 'running');
  const reasons = [...gateway.notReady(), ...troubled.map(({ name, detail }) => `${name}: ${detail}`)];
  return {
    status: [state, ...reasons].join('; ').replaceAll('\n', ' ').slice(0, MAX_STATUS),
    stuckMs: gateway.stuckMs(),
  };
}

/** A request or a stream that is still open after this is cut: the time belongs to the data. */
const API_STOP_MS = 300;
/** The API and the gateway each keep to their time; this is for the case that they do not. */
const STOP_WITHIN_MS = 4_450;

async function stopInTime({ gateway, api }: Pick<Assembly, 'gateway' | 'api'>, clock: Clock): Promise<void> {
  await finishedWithin({ ms: STOP_WITHIN_MS, clock, signal: new AbortController().signal }, async (signal) => {
    await finishedWithin({ ms: API_STOP_MS, clock, signal }, (limit) => api.stop(limit));
    await gateway.stop(signal);
  });
}

/** What is under way when the end is asked for, a start or a simulator, gets this long to notice. */
const NOTICE_MS = 450;

async function overdue(signal: AbortSignal, clock: Clock): Promise<void> {
  await untilAborted(signal);
  await clock.sleep(NOTICE_MS);
}
