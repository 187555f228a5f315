import { Duplex } from 'node:stream';
import type { ConnectionListener, MakeListener } from '../../devices/mqtt/listener.ts';
import type { SimTime } from './sim-time.ts';
import type { Trace } from './trace.ts';

/** What a client is told of its connection. */
export interface ClientEnd {
  received(bytes: Uint8Array): void;
  /** The connection is gone, and the client knows it. */
  closed(): void;
}

/** How a connection breaks: both ends learn of it, or one of them never does. */
export type Cut = 'reset' | 'unnoticed by the client' | 'unnoticed by the gateway';

/** Between clients and the one listener of the gateway: bytes take time, come in pieces, and connections break at any byte. */
export class SimNetwork {
  readonly #time: SimTime;
  readonly #random: () => number;
  readonly #trace: Trace;
  #accept: ((stream: Duplex) => void) | undefined;
  readonly #connections = new Set<SimConnection>();

  constructor(time: SimTime, random: () => number, trace: Trace) {
    this.#time = time;
    this.#random = random;
    this.#trace = trace;
  }

  /** What one process of the gateway listens with, while it lives. */
  listenerOf(isDead: () => boolean): MakeListener {
    return (_limits, connected): ConnectionListener => ({
      refusedTotal: 0,
      listen: async ({ port }) => {
        if (!isDead()) this.#accept = connected;
        return port;
      },
      close: async () => {
        if (isDead()) return;
        this.#accept = undefined;
        for (const connection of [...this.#connections]) connection.stream.destroy();
      },
    });
  }

  /** Connects a client; undefined when nobody listens. */
  connect(client: ClientEnd): SimConnection | undefined {
    const accept = this.#accept;
    if (accept === undefined) return undefined;
    const connection = new SimConnection(client, {
      time: this.#time,
      random: this.#random,
      trace: this.#trace,
      gone: (gone) => this.#connections.delete(gone),
    });
    this.#connections.add(connection);
    accept(connection.stream);
    return connection;
  }

  /** Breaks one of the connections, if there is any. */
  cutOne(how: Cut): void {
    const all = [...this.#connections];
    all[Math.floor(this.#random() * all.length)]?.cut(how);
  }

  /** The gateway is no more. After a power cut nobody tells the clients. */
  gatewayDied(how: 'killed' | 'power cut'): void {
    this.#accept = undefined;
    for (const connection of [...this.#connections]) {
      connection.cut(how === 'killed' ? 'reset' : 'unnoticed by the client');
    }
  }
}

interface Surroundings {
  readonly time: SimTime;
  readonly random: () => number;
  readonly trace: Trace;
  readonly gone: (connection: SimConnection) => void;
}

/** One connection: the client's side is this object, the gateway's side the stream. */
export class SimConnection {
  readonly stream: Duplex;
  readonly #client: ClientEnd;
  readonly #surroundings: Surroundings;
  /** When the last piece on its way arrives there: bytes do not overtake each other. */
  #atGatewayMs = 0;
  #atClientMs = 0;
  #open = true;

  constructor(client: ClientEnd, surroundings: Surroundings) {
    this.#client = client;
    this.#surroundings = surroundings;
    this.stream = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        this.#carry(Buffer.from(chunk), 'client');
        done();
      },
      final: (done) => {
        this.#closedByGateway();
        done();
      },
      destroy: (_error, done) => {
        this.#closedByGateway();
        // An error of the peer is no news here: aedes hears of the end by `close`.
        done(null);
      },
    });
  }

  /** The client sends. */
  send(bytes: Uint8Array): void {
    if (this.#open) this.#carry(Buffer.from(bytes), 'gateway');
  }

  /** The client closes; bytes on their way may be lost. */
  close(): void {
    this.cut('reset');
  }

  /** The connection breaks: of what is on its way in either direction nothing more arrives. */
  cut(how: Cut): void {
    if (!this.#open) return;
    this.#open = false;
    const { gone, time, trace } = this.#surroundings;
    trace.add(`cut ${how}`);
    gone(this);
    if (how !== 'unnoticed by the gateway') time.after(this.#latencyMs(), () => this.stream.destroy());
    if (how !== 'unnoticed by the client') time.after(this.#latencyMs(), () => this.#client.closed());
  }

  #closedByGateway(): void {
    if (!this.#open) return;
    // What was written before arrives first.
    const { time, gone } = this.#surroundings;
    gone(this);
    time.after(this.#atClientMs - time.nowMs + 0.01, () => {
      if (!this.#open) return;
      this.#open = false;
      this.#client.closed();
    });
  }

  /** Carries bytes in up to three pieces. */
  #carry(bytes: Buffer, to: 'gateway' | 'client'): void {
    const { random, time, trace } = this.#surroundings;
    const pieces = random() < 0.8 ? 1 : 2 + Math.floor(random() * 2);
    for (let piece = 0, from = 0; piece < pieces; piece++) {
      const end = piece === pieces - 1 ? bytes.length : from + Math.floor(random() * (bytes.length - from));
      const part = bytes.subarray(from, end);
      from = end;
      if (part.length === 0) continue;
      const before = to === 'gateway' ? this.#atGatewayMs : this.#atClientMs;
      const arrivesMs = Math.max(before, time.nowMs + this.#latencyMs());
      if (to === 'gateway') this.#atGatewayMs = arrivesMs;
      else this.#atClientMs = arrivesMs;
      time.at(arrivesMs, () => {
        if (!this.#open) return;
        trace.add(`${part.length} bytes to ${to}`);
        if (to === 'client') this.#client.received(part);
        else this.stream.push(part);
      });
    }
  }

  #latencyMs(): number {
    const { random } = this.#surroundings;
    return random() < 0.97 ? 0.2 + random() * 5 : random() * 2_000;
  }
}
