import { backoffMs } from '../../gateway/base/backoff.ts';
import { untilAborted } from '../../gateway/base/until-aborted.ts';
import type { Clock } from '../../gateway/core/clock.ts';
import { GatewayError, messageOf } from '../../gateway/core/errors.ts';
import type { Intake } from '../../gateway/core/intake.ts';
import type { ComponentState } from '../../gateway/core/lifecycle.ts';
import type { Source, SourceStatus } from '../../gateway/core/source.ts';
import type { Logger } from '../../gateway/core/telemetry.ts';
import { MAX_UNACKNOWLEDGED } from './back-pressure.ts';
import { runConnection } from './connection.ts';
import type { ConnectionCounts } from './delivery.ts';
import { routeLibraryLog } from './library-log.ts';
import { parseNodeId } from './node-id.ts';
import { type OpcuaOptions, type ResolvedOptions, resolveOptions } from './options.ts';

const USER_REFUSED = /BadIdentityTokenRejected|BadUserAccessDenied|BadIdentityTokenInvalid/;
const USER_REFUSED_WAIT_MS = 30_000;

/** What an OPC-UA source is given besides its configuration. */
export interface OpcuaDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Uniform in [0, 1), for the jitter between attempts. */
  readonly random?: () => number;
}

/**
 * Reads a PLC or another OPC-UA server: subscribes the configured nodes and hands each value on with its source time and the
 * quality of its status code. Connects again for ever; waits for nodes that are not there yet.
 *
 * Importing this module costs about 90 MB of memory: import it only when such a source is configured.
 */
export class OpcuaClient implements Source {
  readonly name: string;
  readonly type = 'opcua';
  readonly #options: ResolvedOptions;
  readonly #intake: Intake;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #random: (() => number) | undefined;
  readonly #counts: ConnectionCounts = {
    items: 0,
    badNodes: 0,
    readings: 0,
    rejected: 0,
    empty: 0,
    overflows: 0,
    reconnects: 0,
    unacknowledged: 0,
  };
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #state: ComponentState = 'starting';
  #detail = 'not started yet';

  /** @throws GatewayError when a node id, the endpoint or an interval cannot be right */
  constructor(options: OpcuaOptions, intake: Intake, dependencies: OpcuaDependencies) {
    this.name = options.name;
    this.#options = resolveOptions(options);
    this.#intake = intake;
    this.#clock = dependencies.clock;
    this.#logger = dependencies.logger.child({ source: options.name });
    this.#random = dependencies.random;
    checkOptions(this.#options);
  }

  async start(_signal: AbortSignal): Promise<void> {
    if (this.#running !== undefined || this.#stopping.signal.aborted) return;
    routeLibraryLog(this.#logger);
    const { security, endpoint } = this.#options;
    if (security?.user !== undefined && (security.policy ?? 'None') === 'None') {
      this.#logger.warn(
        { endpoint },
        'the password goes to a server whose identity is not checked: choose a security policy',
      );
    }
    this.#running = this.#run();
  }

  async stop(signal: AbortSignal): Promise<void> {
    this.#stopping.abort();
    if (this.#state !== 'stopped') this.#set('draining', 'saying goodbye');
    await Promise.race([this.#running, untilAborted(signal)]);
    this.#set('stopped', 'stopped');
  }

  status(): SourceStatus {
    const { overflows } = this.#counts;
    const lost = overflows === 0 ? '' : `; the server lost values ${overflows} times: raise queueSize`;
    const { unacknowledged: used } = this.#counts;
    return {
      state: this.#state,
      detail: this.#detail + lost,
      numbers: { ...this.#counts },
      bounds: [{ name: 'not acknowledged', used, max: MAX_UNACKNOWLEDGED, unit: 'values' }],
    };
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    for (let attempt = 0; !signal.aborted; attempt++) {
      const startedMs = this.#clock.monotonicMs();
      let refused = false;
      try {
        const reason = await this.#connect(signal);
        if (!signal.aborted) this.#set('degraded', `connecting again: ${reason}`);
        this.#counts.reconnects++;
      } catch (error) {
        refused = USER_REFUSED.test(messageOf(error));
        if (!signal.aborted) this.#set('degraded', this.#explain(error));
      }
      if (signal.aborted) break;
      this.#logger.warn({ detail: this.#detail }, 'the OPC-UA connection ended');
      // a connection that had held for a while starts the back-off anew
      if (this.#clock.monotonicMs() - startedMs > 10_000) attempt = 0;
      await this.#clock.sleep(this.#waitMs(attempt, refused), signal);
    }
  }

  /** Seldom after a refused password, so that the user is not locked out. */
  #waitMs(attempt: number, refused: boolean): number {
    const random = this.#random === undefined ? {} : { random: this.#random };
    return refused
      ? USER_REFUSED_WAIT_MS + backoffMs(0, { firstMs: USER_REFUSED_WAIT_MS, maxMs: USER_REFUSED_WAIT_MS, ...random })
      : backoffMs(attempt, { firstMs: 500, maxMs: 10_000, ...random });
  }

  #connect(signal: AbortSignal): Promise<string> {
    const context = {
      options: this.#options,
      intake: this.#intake,
      clock: this.#clock,
      logger: this.#logger,
      counts: this.#counts,
      onState: (state: 'connecting' | 'connected' | 'lost', detail: string) => {
        if (signal.aborted) return;
        const fine = state === 'connected' && this.#counts.badNodes === 0;
        this.#set(
          fine ? 'running' : state === 'connecting' && this.#state === 'starting' ? 'starting' : 'degraded',
          detail,
        );
      },
    };
    return runConnection(context, signal);
  }

  #explain(error: unknown): string {
    const { endpoint, pkiPath } = this.#options;
    const message = messageOf(error);
    if (/BadCertificateUntrusted/.test(message)) {
      return `the certificate of ${endpoint} is not trusted: compare its fingerprint with the file's name under rejected, then move it to trusted/certs in ${pkiPath}`;
    }
    if (USER_REFUSED.test(message)) {
      return `${endpoint} refuses the user or the password`;
    }
    if (/USERNAME user token policy/.test(message)) {
      return `${endpoint} takes no passwords with this security policy: choose Basic256Sha256, or leave the user out`;
    }
    return `cannot read ${endpoint}: ${message}`;
  }

  #set(state: ComponentState, detail: string): void {
    this.#state = state;
    this.#detail = detail;
  }
}

function checkOptions(options: ResolvedOptions): void {
  const { name, endpoint, publishingIntervalMs, retryMs, nodes, security } = options;
  if (!/^opc\.tcp:\/\/[^/\s]+/.test(endpoint)) {
    throw new GatewayError(`Cannot read the OPC-UA source ${name} at ${JSON.stringify(endpoint)}`, {
      hint: 'An endpoint looks like opc.tcp://press.local:4840.',
    });
  }
  if (!(publishingIntervalMs >= 10)) {
    throw new GatewayError(`Cannot publish each ${publishingIntervalMs} ms from ${endpoint}`, {
      hint: 'publishingIntervalMs is at least 10.',
    });
  }
  if (!(retryMs >= 100)) {
    throw new GatewayError(`Cannot look for missing nodes each ${retryMs} ms at ${endpoint}`, {
      hint: 'retryMs is at least 100.',
    });
  }
  if (security?.policy !== undefined && security.policy !== 'None' && security.mode === 'None') {
    throw new GatewayError(`Cannot use the policy ${security.policy} with the mode None at ${endpoint}`, {
      hint: 'With a policy, the mode is Sign or SignAndEncrypt.',
    });
  }
  for (const node of nodes) if (!('browse' in node)) parseNodeId(node.id);
}
