import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Aedes, type AedesOptions, type AuthenticateError, type Client, type PublishPacket } from 'aedes';
import type { Clock } from '../../gateway/core/clock.ts';
import { GatewayError } from '../../gateway/core/errors.ts';
import type { Intake } from '../../gateway/core/intake.ts';
import type { ComponentState } from '../../gateway/core/lifecycle.ts';
import type { Source, SourceStatus } from '../../gateway/core/source.ts';
import type { Logger } from '../../gateway/core/telemetry.ts';
import { Access, ConnackCode, isClientName, isLoopback, type MqttUser } from './access.ts';
import { type AedesClient, emitterOf, handleConnection, storeOf } from './aedes-internals.ts';
import { coalesceWrites } from './coalesced-writes.ts';
import { ExactlyOnce } from './exactly-once.ts';
import {
  type ConnectionListener,
  type ListenAddress,
  Listener,
  type MakeListener,
  type TlsIdentity,
} from './listener.ts';
import { rememberUnheard } from './match-cache.ts';
import { ReadGate } from './read-gate.ts';
import { isMqttText, type ReadingRule, Router } from './reading-rules.ts';
import { SessionBounds } from './session-bounds.ts';

/** What the embedded broker may be told. */
export interface MqttBrokerOptions {
  readonly name: string;
  readonly listen: ListenAddress;
  /** A second port with TLS. */
  readonly tls?: (TlsIdentity & { readonly listen: ListenAddress }) | undefined;
  /** Who may connect; without any, only loopback can be listened on unless `allowAnonymous` says otherwise. */
  readonly users?: readonly MqttUser[] | undefined;
  /** Let clients in without a user name. @default true on loopback when there are no users */
  readonly allowAnonymous?: boolean | undefined;
  /** Largest MQTT packet, in bytes; a client that announces a larger one is cut. @default 2097152 */
  readonly maxPacketBytes?: number | undefined;
  /** Clients at a time. @default 10000 */
  readonly maxConnections?: number | undefined;
  /** Clients at a time from one peer address. @default maxConnections */
  readonly maxConnectionsPerAddress?: number | undefined;
  /** Bytes read from all clients and not yet acknowledged; beyond, nothing more is read. @default 8388608 */
  readonly maxInFlightBytes?: number | undefined;
  /** Longest keep-alive, in seconds; clients that ask for more, or for none, are refused. @default none, as MQTT allows */
  readonly maxKeepAliveSeconds?: number | undefined;
  readonly readings: readonly ReadingRule[];
}

/** What the broker is given by the gateway. */
export interface MqttDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  /** What takes the connections. @default the network of this machine */
  readonly makeListener?: MakeListener | undefined;
}

const DEFAULT_CONNECTIONS = 10_000;
const MAX_IN_FLIGHT_MESSAGES = 32_768;
const MAX_PARTIAL_BYTES = 32 * 1024 * 1024;
/** Bytes that wait for a subscriber before messages to it are dropped. */
const MAX_SUBSCRIBER_BACKLOG = 1024 * 1024;
const MAX_SUBSCRIPTIONS_PER_CLIENT = 1000;
const SESSION_LIMITS = { maxQueuedPerClient: 1000, maxQueued: 100_000, maxRetained: 20_000, maxSessions: 20_000 };

const OPTIONS: AedesOptions = {
  connectTimeout: 5_000,
  maxClientsIdLength: 1024,
  // Clients may publish before CONNACK; what they send then is one read, and waits here.
  queueLimit: 10_000,
  // Messages handed to subscribers at a time. aedes' 100 is meant for slow emitters; ours is in memory.
  concurrency: 1000,
};

/**
 * The embedded MQTT 3.1 and 3.1.1 broker, as a source. Its messages are readings by the rules, and go to its subscribers too.
 *
 * A QoS 1 or 2 publish is answered only when the intake has acknowledged it, which is when it is durable. A payload that cannot be
 * read is set aside and acknowledged; the connection stays. Topics that begin with `$` are not readings, and clients may not
 * publish below `$SYS/`. All that a client can make it keep (connections, packets, sessions, queues, retained messages) is bounded.
 */
export class MqttBroker implements Source {
  readonly name: string;
  readonly type = 'mqtt';
  readonly #options: MqttBrokerOptions;
  readonly #intake: Intake;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #router: Router;
  readonly #access: Access;
  readonly #readGate: ReadGate;
  readonly #sessions = new SessionBounds(SESSION_LIMITS);
  readonly #exactlyOnce: ExactlyOnce;
  readonly #maxPacketBytes: number;
  readonly #listener: ConnectionListener;
  #aedes: Aedes | undefined;
  #state: ComponentState = 'starting';
  #port = 0;
  #tlsPort: number | undefined;
  #messagesTotal = 0;
  #refusedClientsTotal = 0;
  #undeliveredTotal = 0;

  /** Throws a `GatewayError` for a rule that cannot be used. */
  constructor(options: MqttBrokerOptions, intake: Intake, { clock, logger, makeListener }: MqttDependencies) {
    this.name = options.name;
    this.#options = options;
    this.#intake = intake;
    this.#clock = clock;
    this.#logger = logger;
    this.#router = new Router(options.readings, intake);
    this.#exactlyOnce = new ExactlyOnce(intake);
    this.#access = new Access(options.users, options.allowAnonymous);
    this.#maxPacketBytes = options.maxPacketBytes ?? 2 * 1024 * 1024;
    this.#readGate = new ReadGate({
      maxPacketBytes: this.#maxPacketBytes,
      maxInFlightBytes: options.maxInFlightBytes ?? 8 * 1024 * 1024,
      maxInFlightMessages: MAX_IN_FLIGHT_MESSAGES,
      maxPartialBytes: MAX_PARTIAL_BYTES,
    });
    const maxConnections = options.maxConnections ?? DEFAULT_CONNECTIONS;
    const limits = { maxConnections, maxConnectionsPerAddress: options.maxConnectionsPerAddress ?? maxConnections };
    const connected = (stream: Duplex) => this.attach(stream);
    this.#listener = makeListener?.(limits, connected) ?? new Listener(limits, connected);
  }

  /** The port that is listened on, once started. */
  get port(): number {
    return this.#port;
  }

  /** The port with TLS, where there is one, once started. */
  get tlsPort(): number | undefined {
    return this.#tlsPort;
  }

  /** Rejects with a `GatewayError` when a port cannot be had, or when strangers could connect without anybody having allowed it. */
  async start(signal: AbortSignal): Promise<void> {
    const { listen, tls } = this.#options;
    signal.throwIfAborted();
    for (const address of tls === undefined ? [listen] : [listen, tls.listen]) this.#checkExposure(address);
    this.#aedes = await this.#createAedes();
    try {
      this.#port = await this.#listener.listen(listen);
      if (tls !== undefined) this.#tlsPort = await this.#listener.listen(tls.listen, tls);
    } catch (error) {
      this.#state = 'failed';
      await this.#close();
      throw error;
    }
    this.#state = 'running';
    this.#logger.info({ host: listen.host, port: this.#port, tlsPort: this.#tlsPort }, 'MQTT broker listening');
  }

  /** Closes every connection; what was not acknowledged will be sent again by its publisher. */
  async stop(_signal: AbortSignal): Promise<void> {
    if (this.#state === 'failed') return;
    this.#state = 'stopped';
    await this.#close();
  }

  /** Serves MQTT on a stream from elsewhere: MQTT over WebSocket. */
  attach(stream: Duplex, request?: IncomingMessage): void {
    if (this.#aedes === undefined || this.#state !== 'running') {
      stream.destroy();
      return;
    }
    coalesceWrites(stream);
    const client = handleConnection(this.#aedes, stream, request as never);
    this.#readGate.guard(stream, client);
  }

  status(): SourceStatus {
    const reads = this.#readGate.counts();
    const sessions = this.#sessions.counts();
    const clients = this.#aedes?.connectedClients ?? 0;
    return {
      state: this.#state,
      detail: this.#state === 'running' ? this.#detail(clients) : `the broker is ${this.#state}`,
      numbers: {
        clients,
        messagesTotal: this.#messagesTotal,
        inFlightBytes: reads.inFlightBytes,
        inFlightMessages: reads.inFlightMessages,
        waitingClients: reads.waitingClients,
        refusedConnectionsTotal: this.#listener.refusedTotal,
        refusedClientsTotal: this.#refusedClientsTotal,
        oversizedPacketsTotal: reads.oversizedTotal,
        unfinishedPacketsTotal: reads.unfinishedTotal,
        sessions: sessions.sessions,
        queuedMessages: sessions.queued,
        retainedMessages: sessions.retained,
        undeliveredTotal: this.#undeliveredTotal + sessions.droppedTotal,
      },
      bounds: [
        { name: 'clients', used: clients, max: this.#options.maxConnections ?? DEFAULT_CONNECTIONS, unit: 'clients' },
        ...this.#readGate.bounds(),
        ...this.#sessions.bounds(),
        ...this.#exactlyOnce.bounds(),
      ],
    };
  }

  #detail(clients: number): string {
    const { host } = this.#options.listen;
    const tls = this.#tlsPort === undefined ? '' : ` and with TLS on port ${this.#tlsPort}`;
    return `listening on ${host}:${this.#port}${tls}, ${clients} ${clients === 1 ? 'client' : 'clients'} connected`;
  }

  #checkExposure(address: ListenAddress): void {
    const { users = [], allowAnonymous } = this.#options;
    if (users.length > 0 || allowAnonymous === true || isLoopback(address.host)) return;
    this.#state = 'failed';
    throw new GatewayError(
      `Cannot listen for MQTT on ${address.host}:${address.port}: there are no users, so anybody could connect`,
      { hint: 'add `users`, or listen on 127.0.0.1, or say `allowAnonymous: true` if that is meant' },
    );
  }

  async #createAedes(): Promise<Aedes> {
    const nameless = new WeakSet<Client>();
    const aedes = new Aedes({
      ...OPTIONS,
      keepaliveLimit: this.#options.maxKeepAliveSeconds ?? 0,
      preConnect: (client, packet, done) => {
        const legal =
          isClientName(packet.clientId) && isClientName(packet.username ?? '') && isWillTopic(packet.will?.topic);
        // Without an id there is nothing to keep a session under; MQTT 3.1 asks for an id always. Told by CONNACK, later.
        if (packet.clientId === '' && (packet.clean === false || packet.protocolVersion === 3)) nameless.add(client);
        if (!legal) this.#refusedClientsTotal++;
        done(legal ? null : new Error('client id, user name or will topic is not allowed'), legal);
        if (!legal) client.conn.destroy();
      },
      authenticate: (client, username, password, done) => {
        const code = nameless.has(client) ? ConnackCode.identifierRejected : this.#access.judge(username, password);
        if (code === ConnackCode.accepted) {
          done(null, true);
          return;
        }
        this.#refusedClientsTotal++;
        done(Object.assign(new Error('not authorized'), { returnCode: code }) as AuthenticateError, false);
      },
      authorizePublish: (client, packet, done) => this.#admit(client, packet, done),
      authorizeSubscribe: (client, subscription, done) => {
        if (!isMqttText(subscription.topic)) {
          done(new Error('the topic filter is not legal text'));
          return;
        }
        const held = Object.keys((client as AedesClient).subscriptions).length;
        done(null, held < MAX_SUBSCRIPTIONS_PER_CLIENT ? subscription : null);
      },
      authorizeForward: (client, packet) => {
        if (client.conn.writableLength <= MAX_SUBSCRIBER_BACKLOG) return packet;
        this.#undeliveredTotal++;
        return null;
      },
    });
    aedes.on('client', (client) => {
      // A frozen subscriber must not hold up those who publish; `authorizeForward` bounds what waits for it.
      const inside = client as AedesClient;
      inside.waitForDrain = (done) => setImmediate(done, null, client);
      // A clean session has no ids in use: begin at 1, as people who read a packet trace expect, not at random.
      if (client.clean) inside._nextId = 1;
    });
    const failed = (client: Client | null, error: Error) =>
      this.#logger.debug(
        { client: client?.id ?? null, reason: error.message },
        'MQTT client disconnected for an error',
      );
    aedes.on('clientError', failed);
    aedes.on('connectionError', failed);
    await aedes.listen();
    (aedes as EventEmitter).on('error', (error: Error) =>
      this.#logger.error({ reason: error.message }, 'MQTT broker error'),
    );
    this.#sessions.apply(storeOf(aedes));
    this.#exactlyOnce.apply(storeOf(aedes));
    rememberUnheard(emitterOf(aedes));
    return aedes;
  }

  /** The hot path: what stands before PUBACK and PUBREC. */
  #admit(client: Client | null, packet: PublishPacket, done: (error?: Error | null) => void): void {
    const { topic } = packet;
    if (topic.charCodeAt(0) === DOLLAR) {
      done(topic.startsWith('$SYS/') ? new Error('topics below $SYS/ are reserved') : null);
      return;
    }
    if (packet.payload.length > this.#maxPacketBytes) {
      done(new Error('the packet is too large'));
      return;
    }
    if (packet.qos === 0 ? packet.dup : packet.messageId === 0) {
      // [MQTT-3.3.1-2], [MQTT-2.3.1-1]
      done(new Error('a QoS 0 message is marked as sent again, or the message id is 0'));
      return;
    }
    // A will has no message id, and its client may be gone.
    const isOnce = packet.qos === 2 && client !== null && packet.messageId !== undefined;
    if (!isOnce || this.#exactlyOnce.isFirst(client, packet)) {
      this.#messagesTotal++;
      if (!this.#router.handle(topic, packet.payload as Uint8Array, this.#clock.now())) {
        if (isOnce) this.#exactlyOnce.forget(client, packet);
        done(new Error('the topic is not a legal topic name'));
        return;
      }
    }
    this.#intake.acknowledge(done);
  }

  async #close(): Promise<void> {
    const aedes = this.#aedes;
    this.#aedes = undefined;
    const closed = aedes === undefined ? undefined : new Promise<void>((resolve) => aedes.close(() => resolve()));
    await this.#listener.close();
    await closed;
  }
}

const DOLLAR = 0x24;

function isWillTopic(topic: string | undefined): boolean {
  return topic === undefined || (topic !== '' && !/[+#]/.test(topic) && isMqttText(topic));
}
