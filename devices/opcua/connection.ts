import {
  type ClientSession,
  ClientSubscription,
  CreateSessionRequest,
  DataChangeNotification,
  type NotificationMessage,
  type OPCUAClient,
} from 'node-opcua-client';
import type { Clock } from '../../gateway/core/clock.ts';
import { messageOf } from '../../gateway/core/errors.ts';
import type { Intake } from '../../gateway/core/intake.ts';
import type { Logger } from '../../gateway/core/telemetry.ts';
import { BackPressure } from './back-pressure.ts';
import { type ConnectionCounts, deliver } from './delivery.ts';
import { identityOf, KEEP_ALIVE_MS, makeClient } from './library-client.ts';
import { MonitoredNodes } from './monitored-nodes.ts';
import type { ResolvedOptions } from './options.ts';
import { openPki } from './pki.ts';

/** What a connection works with. */
export interface ConnectionContext {
  readonly options: ResolvedOptions;
  readonly intake: Intake;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly counts: ConnectionCounts;
  /** Hears, in words for a person, what the connection is doing. */
  readonly onState: (state: 'connecting' | 'connected' | 'lost', detail: string) => void;
}

/** Browse rules are followed again this often, for variables that have appeared. */
const BROWSE_AGAIN_MS = 60_000;
/** Values in one message at most, so that a burst does not make a message that the transport refuses. */
const MAX_VALUES_PER_MESSAGE = 10_000;
/** Failed repairs of a session before everything is begun anew. */
const MAX_FAILED_REPAIRS = 3;
/** How long the library may take to repair a session once the wire is back. */
const REPAIR_MS = 15_000;
/** How long a clean goodbye may take. */
const GOODBYE_MS = 2_000;

/**
 * One life of a client: connect, log in, subscribe, and deliver, until something cannot be repaired. The library repairs a broken
 * connection where the server still has the subscription, which loses nothing; where it has not, the server may have
 * restarted with other namespace indices, so that nothing of this life may be kept, and this returns.
 *
 * @returns why it ended, as a sentence
 * @throws Error when the server refuses (credentials, certificate, no such endpoint)
 */
export async function runConnection(context: ConnectionContext, signal: AbortSignal): Promise<string> {
  const { options } = context;
  const pki = await openPki(options.pkiPath);
  const client = makeClient(options, pki);
  const connection = new Connection(context, client);
  const abort = () => connection.end('stopped');
  signal.addEventListener('abort', abort, { once: true });
  try {
    await connection.open();
    return await connection.watch();
  } finally {
    signal.removeEventListener('abort', abort);
    await connection.close();
    await pki.dispose();
  }
}

class Connection {
  readonly #context: ConnectionContext;
  readonly #client: OPCUAClient;
  readonly #ended = new AbortController();
  #session: ClientSession | undefined;
  #subscription: ClientSubscription | undefined;
  #nodes: MonitoredNodes | undefined;
  #heardMs: number;
  /** When the library had a new secure channel to repair the session on; undefined while it is not repairing. */
  #channelMs: number | undefined;
  #failedRepairs = 0;
  #backPressure: BackPressure | undefined;

  constructor(context: ConnectionContext, client: OPCUAClient) {
    this.#context = context;
    this.#client = client;
    this.#heardMs = context.clock.monotonicMs();
    this.#listenToClient();
  }

  /** Ends this life; the first reason counts. */
  end(reason: string): void {
    this.#ended.abort(reason);
  }

  async open(): Promise<void> {
    const { options, onState } = this.#context;
    onState('connecting', `connecting to ${options.endpoint}`);
    await this.#unlessEnded(this.#client.connect(options.endpoint));
    this.#session = await this.#unlessEnded(this.#client.createSession2(identityOf(options.security)));
    this.#listenToSession(this.#session);
    const subscription = await this.#unlessEnded(this.#subscribe(this.#session));
    this.#nodes = new MonitoredNodes(options, this.#context.intake, this.#session, subscription);
    this.#listenToSubscription(subscription, this.#nodes);
    await this.#unlessEnded(this.#nodes.subscribe(this.#ended.signal));
    this.#tell();
  }

  /** Looks after the connection until it ends. */
  async watch(): Promise<string> {
    const { clock, options } = this.#context;
    const { signal } = this.#ended;
    let browsedMs = clock.monotonicMs();
    while (!signal.aborted) {
      await clock.sleep(options.retryMs, signal);
      if (signal.aborted) break;
      if (this.#client.isReconnecting) {
        this.#endIfRepairHangs();
        continue;
      }
      this.#channelMs = undefined;
      this.#backPressure?.check();
      this.#endIfSilent();
      try {
        if (clock.monotonicMs() - browsedMs > BROWSE_AGAIN_MS) {
          browsedMs = clock.monotonicMs();
          await this.#unlessEnded(this.#nodes!.browseAgain());
        }
        const looking = this.#nodes!.bad().length > 0 || this.#nodes!.emptyRules().length > 0;
        if (looking) await this.#unlessEnded(this.#nodes!.retry(signal));
        this.#tell();
      } catch (error) {
        // the connection broke on the way: its own events say what becomes of it
        this.#context.logger.debug({ error: messageOf(error) }, 'looking for nodes failed');
      }
    }
    return String(signal.reason);
  }

  /** Says goodbye if there is anybody to say it to; frees everything. */
  async close(): Promise<void> {
    this.end('closed');
    const { clock, counts, logger } = this.#context;
    counts.items = 0;
    const goodbye = async () => {
      if (this.#session !== undefined && !this.#client.isReconnecting) await this.#session.close(true);
      await this.#client.disconnect();
    };
    const finished = goodbye().catch((error: unknown) => {
      logger.debug({ error: messageOf(error) }, 'the server was gone before the goodbye');
    });
    await Promise.race([finished, clock.sleep(GOODBYE_MS)]);
  }

  #listenToClient(): void {
    const { options, onState, counts } = this.#context;
    let lastError = '';
    this.#client.on('connection_failed', (error: Error) => {
      lastError = `: ${messageOf(error)}`;
    });
    this.#client.on('backoff', () =>
      onState('connecting', `cannot reach ${options.endpoint}; trying again${lastError}`),
    );
    this.#client.on('send_request', (request) => {
      // the server has forgotten the session, so it has forgotten the subscription: a repair would be a new beginning anyway,
      // with old namespace indices, and hangs with some servers
      const again = this.#session !== undefined && request instanceof CreateSessionRequest;
      if (again) this.end('the server no longer knew the session');
    });
    this.#client.on('secure_channel_created', () => {
      this.#channelMs = this.#context.clock.monotonicMs();
    });
    this.#client.on('connection_lost', () => {
      this.#channelMs = undefined;
      onState('lost', `lost ${options.endpoint}; trying again`);
    });
    this.#client.on('connection_reestablished', () => {
      counts.reconnects++;
      this.#heardMs = this.#context.clock.monotonicMs();
      this.#channelMs = undefined;
      this.#tell();
    });
    this.#client.on('abort', () => this.end('the server closed the connection for good'));
  }

  #listenToSession(session: ClientSession): void {
    session.on('session_closed', () => this.end('the server closed the session'));
    session.on('session_repaired', () => {
      this.#failedRepairs = 0;
    });
    session.on('session_repaired_failed', (error: Error) => {
      if (++this.#failedRepairs >= MAX_FAILED_REPAIRS) this.end(`the session cannot be repaired: ${messageOf(error)}`);
    });
  }

  #listenToSubscription(subscription: ClientSubscription, nodes: MonitoredNodes): void {
    subscription.on('received_notifications', (message) => this.#receive(message, nodes));
    subscription.on('keepalive', () => {
      this.#heardMs = this.#context.clock.monotonicMs();
    });
    subscription.on('subscriptionId_changed', () => this.end('the server no longer knew the subscription'));
    subscription.on('terminated', () => this.end('the subscription was closed'));
    subscription.on('status_changed', (status) => {
      if (status.isBad()) this.end(`the server closed the subscription: ${status.name}`);
    });
    subscription.on('internal_error', (error) => this.end(`the subscription failed: ${messageOf(error)}`));
    subscription.on('error', (error) => this.end(`the subscription failed: ${messageOf(error)}`));
  }

  #subscribe(session: ClientSession): Promise<ClientSubscription> {
    const { publishingIntervalMs, outageMs } = this.#context.options;
    const keepAliveCount = Math.max(3, Math.ceil(KEEP_ALIVE_MS / publishingIntervalMs));
    const subscription = ClientSubscription.create(session, {
      requestedPublishingInterval: publishingIntervalMs,
      requestedMaxKeepAliveCount: keepAliveCount,
      requestedLifetimeCount: Math.max(3 * keepAliveCount, Math.ceil(outageMs / publishingIntervalMs)),
      maxNotificationsPerPublish: MAX_VALUES_PER_MESSAGE,
      publishingEnabled: true,
      priority: 1,
    });
    this.#subscription = subscription;
    this.#backPressure = new BackPressure(subscription, this.#context.counts, (reason) => {
      // with the wire cut it is no answer of the server's: `watch` has it asked again
      if (!this.#client.isReconnecting) this.end(reason);
    });
    return new Promise((resolve, reject) => {
      subscription.once('started', () => resolve(subscription));
      subscription.once('error', reject);
    });
  }

  #receive(message: NotificationMessage, nodes: MonitoredNodes): void {
    // what comes after the end may belong to a subscription with other namespace indices
    if (this.#ended.signal.aborted) return;
    const { intake, clock, counts } = this.#context;
    this.#heardMs = clock.monotonicMs();
    const receiveTime = clock.now();
    let delivered = 0;
    for (const data of message.notificationData ?? []) {
      if (!(data instanceof DataChangeNotification)) continue;
      for (const { clientHandle, value } of data.monitoredItems ?? []) {
        const node = nodes.ofHandle(clientHandle);
        if (node === undefined) continue;
        delivered++;
        const gone = deliver(node, value, receiveTime, intake, counts);
        if (gone !== undefined) void this.#release(nodes, node, gone);
      }
    }
    if (delivered === 0) return;
    this.#backPressure?.add(delivered);
    intake.acknowledge(() => this.#backPressure?.remove(delivered));
  }

  async #release(
    nodes: MonitoredNodes,
    node: Parameters<MonitoredNodes['release']>[0],
    problem: string,
  ): Promise<void> {
    try {
      await nodes.release(node, problem);
    } catch (error) {
      this.#context.logger.debug({ node: node.node.id, error: messageOf(error) }, 'giving a node up failed');
    }
    this.#tell();
  }

  /** Connected, yet not even a sign of life: a server that hangs. */
  #endIfSilent(): void {
    const subscription = this.#subscription!;
    const limitMs = 3 * subscription.maxKeepAliveCount * subscription.publishingInterval + KEEP_ALIVE_MS;
    const silentMs = this.#context.clock.monotonicMs() - this.#heardMs;
    if (silentMs > limitMs) this.end(`the server has been silent for ${Math.round(silentMs / 1000)} s`);
  }

  #endIfRepairHangs(): void {
    if (this.#channelMs === undefined) return;
    const repairingMs = this.#context.clock.monotonicMs() - this.#channelMs;
    if (repairingMs > REPAIR_MS) this.end(`the session could not be repaired in ${Math.round(repairingMs / 1000)} s`);
  }

  #tell(): void {
    if (this.#ended.signal.aborted || this.#nodes === undefined) return;
    const { counts, onState, options } = this.#context;
    const bad = this.#nodes.bad();
    const empty = this.#nodes.emptyRules();
    counts.items = this.#nodes.size - bad.length;
    counts.badNodes = bad.length + empty.length;
    const first = bad[0] === undefined ? '' : `; ${bad[0].node.id}: ${bad[0].problem}`;
    const nothing = empty[0] === undefined ? '' : `; nothing found at ${empty[0].browse}`;
    onState(
      'connected',
      `reading ${counts.items} of ${this.#nodes.size} nodes of ${options.endpoint}${first}${nothing}`,
    );
  }

  /** The promise's result, or an error at once when this life ends meanwhile. */
  async #unlessEnded<T>(promise: Promise<T>): Promise<T> {
    const { signal } = this.#ended;
    let gone: (() => void) | undefined;
    const ended = new Promise<never>((_resolve, reject) => {
      gone = () => reject(new Error(String(signal.reason)));
      if (signal.aborted) gone();
      else signal.addEventListener('abort', gone, { once: true });
    });
    try {
      return await Promise.race([promise, ended]);
    } finally {
      signal.removeEventListener('abort', gone!);
    }
  }
}
