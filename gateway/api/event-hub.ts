import type { Clock } from '../core/clock.ts';
import type { Bound } from '../core/memory.ts';
import type { GatewayView, LiveEvent } from '../core/view.ts';
import { statusReply } from './status-reply.ts';
import type { Topic } from './stream-schemas.ts';

/** Limits of the live stream; all of them bound memory. */
export interface EventHubOptions {
  /** Events kept for clients that come back. @default 2048 */
  readonly ringEvents?: number;
  /** Bytes of text kept for them. @default 8 MiB */
  readonly ringBytes?: number;
  /** Most clients at once. @default 64 */
  readonly maxClients?: number;
  /** A client with more than this unsent is cut off; it comes back and resumes. @default 1 MiB */
  readonly maxUnsentBytes?: number;
  /** Milliseconds between two heartbeats. @default 10 000 */
  readonly heartbeatMs?: number;
  /** The ring is filled this long after the last client left, in milliseconds, so that it may resume. @default 60 000 */
  readonly lingerMs?: number;
}

/** What the hub needs of a response: the part of `http.ServerResponse` that it uses. */
export interface StreamSocket {
  readonly writableLength: number;
  write(text: string): boolean;
  end(): void;
  destroy(): void;
}

interface Client {
  readonly socket: StreamSocket;
  readonly topics: ReadonlySet<string>;
}

interface Kept {
  readonly sequence: number;
  readonly topic: Topic;
  readonly text: string;
}

/**
 * Fans live events out as server-sent events.
 *
 * Each event is serialised once. Its id is `<epoch>-<sequence>`; the last ones stay in a ring, so that a client that names the last
 * id it saw gets what it missed, and a `reset` event first where that has gone: it must then read everything anew. A status replaces
 * the one before, so status events are not kept. Nothing is subscribed to, and nothing serialised, while nobody listens.
 */
export class EventHub {
  readonly #view: GatewayView;
  readonly #clock: Clock;
  readonly #limits: Required<EventHubOptions>;
  readonly #epoch: string;
  readonly #clients = new Set<Client>();
  readonly #stopping = new AbortController();
  #ring: Kept[] = [];
  #ringBytes = 0;
  #sequence = 0;
  #unsubscribe: (() => void) | undefined;
  #linger: AbortController | undefined;
  #beating = false;
  #slowClients = 0;

  constructor(view: GatewayView, clock: Clock, options: EventHubOptions = {}) {
    this.#view = view;
    this.#clock = clock;
    this.#epoch = Math.trunc(clock.now()).toString(36);
    this.#limits = {
      ringEvents: options.ringEvents ?? 2048,
      ringBytes: options.ringBytes ?? 8 * 1024 * 1024,
      maxClients: options.maxClients ?? 64,
      maxUnsentBytes: options.maxUnsentBytes ?? 1024 * 1024,
      heartbeatMs: options.heartbeatMs ?? 10_000,
      lingerMs: options.lingerMs ?? 60_000,
    };
  }

  /** Clients connected just now. */
  get clients(): number {
    return this.#clients.size;
  }

  /** Clients cut off because they did not read fast enough. */
  get slowClients(): number {
    return this.#slowClients;
  }

  /** What it holds in memory, and the most it can. */
  bounds(): readonly Bound[] {
    const { maxClients, ringBytes } = this.#limits;
    return [
      { name: 'live stream: clients', used: this.#clients.size, max: maxClients, unit: 'clients' },
      { name: 'live stream: kept for who comes back', used: this.#ringBytes, max: ringBytes, unit: 'bytes' },
    ];
  }

  /** True when no further client is taken. */
  get full(): boolean {
    return this.#clients.size >= this.#limits.maxClients || this.#stopping.signal.aborted || this.#view.liveIsOff;
  }

  /** Takes a client; sends what it missed since `lastEventId`. Returns how to leave, to be called when its connection closes. */
  join(socket: StreamSocket, topics: ReadonlySet<string>, lastEventId: string | undefined): () => void {
    const client: Client = { socket, topics };
    this.#linger?.abort();
    this.#linger = undefined;
    // Before the subscription: a resumed client must not get a new event ahead of an old one.
    socket.write(`retry: 1000\n\n`);
    if (lastEventId !== undefined) this.#resume(client, lastEventId);
    this.#clients.add(client);
    this.#unsubscribe ??= this.#view.subscribe((event) => this.#publish(event));
    this.#beat();
    return () => this.#leave(client);
  }

  /** Ends every stream and takes no more. */
  stop(): void {
    this.#stopping.abort();
    this.#endAll();
  }

  #endAll(): void {
    this.#linger?.abort();
    this.#forget();
    for (const client of this.#clients) client.socket.end();
    this.#clients.clear();
  }

  #leave(client: Client): void {
    if (!this.#clients.delete(client) || this.#clients.size > 0 || this.#stopping.signal.aborted) return;
    const linger = new AbortController();
    this.#linger = linger;
    void this.#clock.sleep(this.#limits.lingerMs, linger.signal).then(() => {
      if (!linger.signal.aborted && this.#clients.size === 0) this.#forget();
    });
  }

  #forget(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#ring = [];
    this.#ringBytes = 0;
    // What happens from now on is not seen: an id from before must not look complete.
    this.#sequence += 1;
  }

  #resume(client: Client, lastEventId: string): void {
    const [epoch, digits = ''] = lastEventId.split('-');
    const last = Number(digits);
    const first = this.#ring[0]?.sequence ?? this.#sequence + 1;
    const known = epoch === this.#epoch && /^\d{1,15}$/.test(digits) && last <= this.#sequence && last >= first - 1;
    if (!known) {
      client.socket.write(`id: ${this.#epoch}-${this.#sequence}\nevent: reset\ndata: {}\n\n`);
      return;
    }
    for (const kept of this.#ring) {
      if (kept.sequence > last && client.topics.has(kept.topic)) client.socket.write(kept.text);
    }
  }

  #publish(event: LiveEvent): void {
    if (event.topic === 'off') {
      this.#endAll();
      return;
    }
    const data = event.topic === 'status' ? statusReply(this.#view, event.data, this.bounds()) : event.data;
    const kept = event.topic !== 'status';
    if (kept) this.#sequence += 1;
    // A status event repeats the id before it, so it never moves a client's position.
    const text = `id: ${this.#epoch}-${this.#sequence}\nevent: ${event.topic}\ndata: ${JSON.stringify(data)}\n\n`;
    if (kept) this.#keep({ sequence: this.#sequence, topic: event.topic, text });
    for (const client of this.#clients) {
      if (client.topics.has(event.topic)) this.#send(client, text);
    }
  }

  #send(client: Client, text: string): void {
    if (client.socket.writableLength > this.#limits.maxUnsentBytes) {
      this.#slowClients += 1;
      this.#clients.delete(client);
      client.socket.destroy();
      return;
    }
    client.socket.write(text);
  }

  #keep(event: Kept): void {
    this.#ring.push(event);
    this.#ringBytes += event.text.length;
    let gone = 0;
    while (this.#ring.length - gone > this.#limits.ringEvents || this.#ringBytes > this.#limits.ringBytes) {
      this.#ringBytes -= this.#ring[gone]?.text.length ?? 0;
      gone += 1;
    }
    if (gone > 0) this.#ring.splice(0, gone);
  }

  /** An event and not a comment, because a browser does not show comments: the page must see that the line is alive. */
  #beat(): void {
    if (this.#beating) return;
    this.#beating = true;
    void (async () => {
      while (this.#clients.size > 0 && !this.#stopping.signal.aborted) {
        await this.#clock.sleep(this.#limits.heartbeatMs, this.#stopping.signal);
        const text = `event: heartbeat\ndata: {"now":${this.#clock.now()}}\n\n`;
        for (const client of this.#clients) this.#send(client, text);
      }
      this.#beating = false;
    })();
  }
}
