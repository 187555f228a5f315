import { type IClientOptions, connect as mqttConnect } from 'mqtt';
import { backoffMs } from '../../gateway/base/backoff.ts';
import type { Clock } from '../../gateway/core/clock.ts';
import { GatewayError } from '../../gateway/core/errors.ts';
import type { Intake } from '../../gateway/core/intake.ts';
import type { ComponentState } from '../../gateway/core/lifecycle.ts';
import type { Source, SourceStatus } from '../../gateway/core/source.ts';
import type { Logger } from '../../gateway/core/telemetry.ts';
import { type ReadingRule, Router } from './reading-rules.ts';
import { MAX_UNACKNOWLEDGED, RemoteSession } from './remote-session.ts';
import { toMqttFilter } from './topic-template.ts';

/** What a client of another broker may be told. */
export interface MqttClientOptions {
  readonly name: string;
  /** `mqtt:`, `mqtts:`, `ws:` or `wss:`. */
  readonly url: string;
  /** With a session kept at the broker, the name of that session. @default headgate-<name> */
  readonly clientId?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** Their topics are what is subscribed. */
  readonly readings: readonly ReadingRule[];
  /** Quality of service that is asked for. With 0 the broker keeps nothing while the gateway is away. @default 1 */
  readonly qos?: 0 | 1 | 2 | undefined;
  /** Start afresh at each connection, and lose what came meanwhile. @default false */
  readonly cleanSession?: boolean | undefined;
  readonly tls?: MqttClientTls | undefined;
}

/** The certificates of an `mqtts:` or `wss:` connection. */
export interface MqttClientTls {
  /** Authorities to trust in place of the system's, PEM. */
  readonly ca?: string | Buffer | undefined;
  /** The gateway's own certificate and key, PEM, where the broker asks for one. */
  readonly cert?: string | Buffer | undefined;
  /** Goes with `cert`; never logged. */
  readonly key?: string | Buffer | undefined;
}

const CONNECT_TIMEOUT_MS = 10_000;
const PROTOCOLS = ['mqtt:', 'mqtts:', 'ws:', 'wss:'];

/**
 * A client of another MQTT broker, as a source: it subscribes to the filter of every rule. PUBACK and PUBREC leave when the intake has
 * acknowledged the message, so with a kept session the broker sends again whatever the gateway did not get onto its disk.
 *
 * Connects again for ever, with jitter; a broker that is away makes it `degraded` and says why.
 */
export class MqttClientSource implements Source {
  readonly name: string;
  readonly type = 'mqtt';
  readonly #options: MqttClientOptions;
  readonly #connectOptions: IClientOptions;
  readonly #filters: Readonly<Record<string, { qos: 0 | 1 | 2 }>>;
  readonly #broker: string;
  readonly #session: RemoteSession;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #random: (() => number) | undefined;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #state: ComponentState = 'starting';
  #detail: string;
  #connectionsTotal = 0;

  /** Throws a `GatewayError` for a URL or a rule that cannot be used. */
  constructor(
    options: MqttClientOptions,
    intake: Intake,
    { clock, logger, random }: { readonly clock: Clock; readonly logger: Logger; readonly random?: () => number },
  ) {
    this.name = options.name;
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger;
    this.#random = random;
    this.#broker = brokerOf(options.url);
    this.#detail = `connecting to ${this.#broker}`;
    this.#session = new RemoteSession(new Router(options.readings, intake), intake, clock);
    const qos = options.qos ?? 1;
    this.#filters = Object.fromEntries(options.readings.map((rule) => [toMqttFilter(rule.topic), { qos }]));
    this.#connectOptions = connectOptions(options);
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#running ??= this.#stayConnected();
  }

  async stop(_signal: AbortSignal): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    this.#state = 'stopped';
    this.#detail = `disconnected from ${this.#broker}`;
  }

  status(): SourceStatus {
    return {
      state: this.#state,
      detail: this.#detail,
      numbers: {
        connected: this.#state === 'running' ? 1 : 0,
        connectionsTotal: this.#connectionsTotal,
        messagesTotal: this.#session.messagesTotal,
        unacknowledged: this.#session.unacknowledged,
      },
      bounds: [
        { name: 'not acknowledged', used: this.#session.unacknowledged, max: MAX_UNACKNOWLEDGED, unit: 'messages' },
      ],
    };
  }

  async #stayConnected(): Promise<void> {
    const { signal } = this.#stopping;
    for (let failures = 0; !signal.aborted; ) {
      const wasConnected = await this.#connectOnce(signal);
      if (signal.aborted) return;
      failures = wasConnected ? 0 : failures + 1;
      await this.#clock.sleep(backoffMs(failures, this.#random === undefined ? {} : { random: this.#random }), signal);
    }
  }

  /** One connection, from connecting to its end; resolves whether it came about. Never rejects. */
  async #connectOnce(signal: AbortSignal): Promise<boolean> {
    const client = mqttConnect(this.#options.url, this.#connectOptions);
    let connected = false;
    let problem: string | undefined;
    this.#session.adopt(client);
    client.on('error', (error) => {
      problem = errorText(error);
    });
    client.on('connect', ({ sessionPresent }) => {
      connected = true;
      this.#connectionsTotal++;
      if (!sessionPresent) this.#session.forget();
      client.subscribe(this.#filters, (error, granted) => {
        const refused = granted?.filter(({ qos }) => Number(qos) > 2).map(({ topic }) => topic) ?? [];
        this.#subscribed(error, refused);
      });
    });
    await new Promise<void>((resolve) => {
      client.once('close', resolve);
      const leave = () => client.end(false, {}, () => resolve());
      if (signal.aborted) leave();
      else signal.addEventListener('abort', leave, { once: true });
      client.once('close', () => signal.removeEventListener('abort', leave));
    });
    client.end(true);
    // A late error of a dead connection has nobody left to interest, but without a listener it would be thrown.
    client.removeAllListeners();
    client.on('error', (error) =>
      this.#logger.debug({ reason: errorText(error) }, 'late error of a closed connection'),
    );
    if (!signal.aborted) this.#lost(connected, problem);
    return connected;
  }

  #subscribed(error: Error | null | undefined, refused: readonly string[]): void {
    if (error != null || refused.length > 0) {
      this.#state = 'degraded';
      const why = refused.length > 0 ? `it refuses ${refused.join(', ')}` : (error?.message ?? '');
      this.#detail = `connected to ${this.#broker}, but could not subscribe: ${why}; check the rights of the user there`;
      this.#logger.warn({ broker: this.#broker, why }, 'MQTT subscription refused');
      return;
    }
    this.#state = 'running';
    this.#detail = `connected to ${this.#broker}, subscribed to ${Object.keys(this.#filters).join(', ')}`;
    this.#logger.info({ broker: this.#broker }, 'connected to MQTT broker');
  }

  #lost(connected: boolean, problem: string | undefined): void {
    const before = this.#detail;
    this.#state = 'degraded';
    const what = connected ? `the connection to ${this.#broker} was lost` : `cannot connect to ${this.#broker}`;
    this.#detail = `${what}${problem === undefined ? '' : `: ${problem}`}; trying again`;
    // Once for each new reason, not once a try.
    if (this.#detail !== before) this.#logger.warn({ broker: this.#broker, problem }, what);
  }
}

function brokerOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !PROTOCOLS.includes(parsed.protocol) || parsed.hostname === '') {
    throw new GatewayError('Cannot use the URL of the MQTT broker', {
      hint: 'as in mqtt://broker.local:1883; mqtts:, ws: and wss: are also allowed',
    });
  }
  // Without user and password: this is shown.
  return `${parsed.protocol}//${parsed.host}`;
}

function connectOptions(options: MqttClientOptions): IClientOptions {
  const { tls } = options;
  return {
    clientId: options.clientId ?? `headgate-${options.name}`,
    clean: options.cleanSession ?? false,
    protocolVersion: 4,
    keepalive: 60,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // The library reconnects at a fixed pace; here each connection is one client, and the waiting is done outside.
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    ...(options.user === undefined ? {} : { username: options.user }),
    ...(options.password === undefined ? {} : { password: options.password }),
    ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls?.key === undefined ? {} : { key: tls.key }),
  } satisfies IClientOptions & { [key: string]: unknown };
}

/** What went wrong; a connection to several addresses fails with one empty error around the others. */
function errorText(error: Error & { readonly code?: unknown }): string {
  if (error instanceof AggregateError) return error.errors.map((one: Error) => one.message).join(', ');
  return error.message !== '' ? error.message : String(error.code ?? error.name);
}
