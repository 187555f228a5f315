import type { Aedes, AedesPublishPacket, Client, Connection, PublishPacket } from 'aedes';

/**
 * The parts of aedes 1.2 that this room reaches into, because no option of aedes does the same. aedes is pinned to an exact
 * version; check these when it changes.
 */
export interface AedesClient extends Client {
  /** The frame parser: `packet.length` is the announced length of the packet being read, `_list` the bytes it holds. */
  readonly _parser: {
    readonly packet: { readonly length: number };
    readonly _list: { readonly length: number; getBuffers(): Buffer[] };
    parse(bytes: Uint8Array): unknown;
  };
  /** One packet of the last read is done; after the last of them, or at once when there is none, aedes reads on. */
  readonly _nextBatch: (error?: Error | null) => void;
  /** Packets of the last read that are not done; one more before the first read. */
  _parsingBatch: number;
  /** Id of the next message to this client. */
  _nextId: number;
  /** Calls back when a subscriber's socket has drained. One that never drains holds up everybody's ingest. */
  waitForDrain: (done: (error: Error | null, client: Client) => void) => void;
  readonly subscriptions: Readonly<Record<string, unknown>>;
}

/** aedes' stream handler gives back the client, typed as it is inside. */
export function handleConnection(broker: Aedes, stream: Connection, request: never): AedesClient {
  return broker.handle(stream, request) as AedesClient;
}

/** A subscription as the store gives it for a topic. */
export interface StoredSubscription {
  readonly clientId: string;
  readonly topic: string;
  readonly qos: number;
}

/** Something that aedes calls `then` on. */
export type Thenable<T> = PromiseLike<T>;

type ClientRef = { readonly id: string };

/** The methods of aedes' store of sessions and retained messages that are bounded or watched here. */
export interface AedesStore {
  storeRetained(packet: PublishPacket): Thenable<void>;
  addSubscriptions(client: ClientRef, subscriptions: readonly { topic: string; qos: number }[]): Thenable<void>;
  subscriptionsByTopic(topic: string): Thenable<StoredSubscription[]>;
  outgoingEnqueueCombi(subscriptions: readonly StoredSubscription[], packet: AedesPublishPacket): Thenable<void>;
  outgoingClearMessageId(client: ClientRef, packet: { messageId?: number }): Thenable<unknown>;
  /** Asked for a publish, whether it was stored, and for a pubrel; rejects where there is none. */
  incomingGetPacket(client: ClientRef, packet: { cmd: string; messageId?: number }): Thenable<unknown>;
  incomingStorePacket(client: ClientRef, packet: { messageId?: number }): Thenable<void>;
  incomingDelPacket(client: ClientRef, packet: { messageId?: number }): Thenable<void>;
  cleanIncoming(client: ClientRef): Thenable<void>;
  cleanSubscriptions(client: ClientRef): Thenable<void>;
}

/** The emitter through which aedes hands a message to those who subscribed. */
export interface AedesEmitter {
  emit(packet: AedesPublishPacket, done: () => void): unknown;
  on(topic: string, listener: unknown, done?: () => void): unknown;
  removeListener(topic: string, listener: unknown, done?: () => void): unknown;
  readonly closed: boolean;
  readonly _matcher: { match(topic: string): readonly unknown[] };
}

/** The store of sessions and retained messages of a broker; there once the broker listens. */
export function storeOf(broker: Aedes): AedesStore {
  return (broker as unknown as { persistence: AedesStore }).persistence;
}

/** The emitter of a broker, through which every message to subscribers passes. */
export function emitterOf(broker: Aedes): AedesEmitter {
  return (broker as unknown as { mq: AedesEmitter }).mq;
}
