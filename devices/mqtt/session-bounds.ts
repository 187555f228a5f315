import type { Bound } from '../../gateway/core/memory.ts';
import type { AedesStore, StoredSubscription } from './aedes-internals.ts';
import { Settled } from './settled.ts';

/** What clients may make the broker keep; all are numbers of things, at least 1. What goes beyond is dropped and counted. */
export interface SessionLimits {
  /** Messages that wait for one client that is away. */
  readonly maxQueuedPerClient: number;
  /** Messages that wait for all clients that are away. */
  readonly maxQueued: number;
  /** Topics with a retained message. */
  readonly maxRetained: number;
  /** Clients that may leave a session behind. */
  readonly maxSessions: number;
}

/**
 * Bounds what aedes' store in memory keeps of sessions and retained messages, and spares a message that nobody is away for its two
 * promises.
 */
export class SessionBounds {
  readonly #limits: SessionLimits;
  readonly #queued = new Map<string, number>();
  readonly #retained = new Set<string>();
  readonly #sessions = new Set<string>();
  #queuedTotal = 0;
  #droppedTotal = 0;

  constructor(limits: SessionLimits) {
    this.#limits = limits;
  }

  counts(): { queued: number; retained: number; sessions: number; droppedTotal: number } {
    return {
      queued: this.#queuedTotal,
      retained: this.#retained.size,
      sessions: this.#sessions.size,
      droppedTotal: this.#droppedTotal,
    };
  }

  /** The same as bounds. */
  bounds(): readonly Bound[] {
    const { queued, retained, sessions } = this.counts();
    const { maxQueued, maxRetained, maxSessions } = this.#limits;
    return [
      { name: 'sessions', used: sessions, max: maxSessions, unit: 'sessions' },
      { name: 'queued for clients that are away', used: queued, max: maxQueued, unit: 'messages' },
      { name: 'retained', used: retained, max: maxRetained, unit: 'messages' },
    ];
  }

  /** Puts the bounds before the store's own methods. */
  apply(store: AedesStore): void {
    this.#boundRetained(store);
    this.#boundSessions(store);
    this.#boundQueues(store);
  }

  #boundRetained(store: AedesStore): void {
    const storeRetained = store.storeRetained.bind(store);
    store.storeRetained = (packet) => {
      if (packet.payload.length === 0) this.#retained.delete(packet.topic);
      else if (this.#retained.has(packet.topic) || this.#retained.size < this.#limits.maxRetained) {
        this.#retained.add(packet.topic);
      } else {
        this.#droppedTotal++;
        return DONE;
      }
      return storeRetained(packet);
    };
  }

  #boundSessions(store: AedesStore): void {
    const { addSubscriptions, cleanSubscriptions, subscriptionsByTopic } = bound(store);
    store.addSubscriptions = (client, subscriptions) => {
      if (!this.#sessions.has(client.id) && this.#sessions.size >= this.#limits.maxSessions) {
        this.#droppedTotal++;
        return DONE;
      }
      this.#sessions.add(client.id);
      return addSubscriptions(client, subscriptions);
    };
    store.cleanSubscriptions = (client) => {
      this.#sessions.delete(client.id);
      return cleanSubscriptions(client);
    };
    // Nobody left a session: no look-up, and no promise to wait for.
    store.subscriptionsByTopic = (topic) => (this.#sessions.size === 0 ? NOBODY : subscriptionsByTopic(topic));
  }

  #boundQueues(store: AedesStore): void {
    const { outgoingEnqueueCombi, outgoingClearMessageId } = bound(store);
    store.outgoingEnqueueCombi = (subscriptions, packet) => {
      if (subscriptions.length === 0) return DONE;
      const kept = subscriptions.filter((subscription) => this.#hasRoom(subscription.clientId));
      this.#droppedTotal += subscriptions.length - kept.length;
      for (const { clientId } of kept) this.#count(clientId, 1);
      return kept.length === 0 ? DONE : outgoingEnqueueCombi(kept, packet);
    };
    store.outgoingClearMessageId = (client, packet) =>
      outgoingClearMessageId(client, packet).then((cleared) => {
        if (cleared !== undefined) this.#count(client.id, -1);
        return cleared;
      });
  }

  #hasRoom(clientId: string): boolean {
    return (
      this.#queuedTotal < this.#limits.maxQueued && (this.#queued.get(clientId) ?? 0) < this.#limits.maxQueuedPerClient
    );
  }

  #count(clientId: string, change: number): void {
    const count = Math.max(0, (this.#queued.get(clientId) ?? 0) + change);
    if (count === 0) this.#queued.delete(clientId);
    else this.#queued.set(clientId, count);
    this.#queuedTotal = Math.max(0, this.#queuedTotal + change);
  }
}

function bound(store: AedesStore): Omit<AedesStore, `${'incoming'}${string}` | 'cleanIncoming'> {
  return {
    storeRetained: store.storeRetained.bind(store),
    addSubscriptions: store.addSubscriptions.bind(store),
    cleanSubscriptions: store.cleanSubscriptions.bind(store),
    subscriptionsByTopic: store.subscriptionsByTopic.bind(store),
    outgoingEnqueueCombi: store.outgoingEnqueueCombi.bind(store),
    outgoingClearMessageId: store.outgoingClearMessageId.bind(store),
  };
}

const DONE = new Settled<void>(undefined);
const NOBODY = new Settled<StoredSubscription[]>([]);
