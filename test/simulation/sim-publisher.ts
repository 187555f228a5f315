import { connectFrame, frameLength, publishFrame, pubrelFrame } from '../devices/mqtt/raw-client.ts';
import type { SimBox } from './sim-box.ts';
import type { SimConnection, SimNetwork } from './sim-network.ts';
import type { SimTime } from './sim-time.ts';
import type { Message } from './workload.ts';

/** Messages that are sent and not yet acknowledged at the most. */
const WINDOW = 20;
/** Without a sign of life from the broker for so long while one is due, the connection is given up. */
const PATIENCE_MS = 10_000;

const Frame = { connack: 2, puback: 4, pubrec: 5, pubcomp: 7 } as const;

interface InFlight {
  readonly id: number;
  readonly message: Message;
  /** QoS 2: taken by the broker, still to be released. */
  taken: boolean;
}

/** What a publisher works with. */
export interface PublisherParts {
  readonly time: SimTime;
  readonly random: () => number;
  readonly network: SimNetwork;
  readonly box: SimBox;
}

/**
 * A device that publishes over MQTT and keeps what was not acknowledged: after a lost connection it connects again and sends that again, in
 * order and marked as sent before.
 */
export class SimPublisher {
  readonly id: string;
  /** A session that ends with its connection, so that QoS 2 promises no more than QoS 1. */
  readonly isClean: boolean;
  readonly #box: SimBox;
  readonly #time: SimTime;
  readonly #random: () => number;
  readonly #network: SimNetwork;
  readonly #waiting: Message[] = [];
  #inFlight: InFlight[] = [];
  #connection: SimConnection | undefined;
  #connected = false;
  #received = Buffer.alloc(0);
  #nextId = 1;
  #heardMs = 0;

  constructor(id: string, isClean: boolean, parts: PublisherParts) {
    this.id = id;
    this.isClean = isClean;
    this.#box = parts.box;
    this.#time = parts.time;
    this.#random = parts.random;
    this.#network = parts.network;
    this.#connect();
  }

  /** Everything is acknowledged and released. */
  get isDone(): boolean {
    return this.#waiting.length === 0 && this.#inFlight.length === 0;
  }

  publish(message: Message): void {
    this.#waiting.push(message);
    this.#send();
  }

  #connect(): void {
    this.#received = Buffer.alloc(0);
    const connection: SimConnection | undefined = this.#network.connect({
      received: (bytes) => {
        if (this.#connection === connection) this.#take(bytes);
      },
      closed: () => {
        if (this.#connection === connection) this.#lost();
      },
    });
    this.#connection = connection;
    if (connection === undefined) {
      this.#lost();
      return;
    }
    this.#heardMs = this.#time.nowMs;
    // Without keep-alive: its timer in aedes would run on real time, and keep a dead broker in memory.
    connection.send(connectFrame({ id: this.id, clean: this.isClean, keepAlive: 0 }));
    this.#watch(connection);
  }

  #lost(): void {
    this.#connection = undefined;
    this.#connected = false;
    this.#time.after(50 + this.#random() * 2_000, () => this.#connect());
  }

  #watch(connection: SimConnection): void {
    this.#time.after(PATIENCE_MS / 2, () => {
      if (this.#connection !== connection) return;
      const isOwed = !this.#connected || this.#inFlight.length > 0;
      if (!isOwed) this.#heardMs = this.#time.nowMs;
      if (this.#time.nowMs - this.#heardMs < PATIENCE_MS) {
        this.#watch(connection);
        return;
      }
      connection.close();
      this.#lost();
    });
  }

  #send(): void {
    while (this.#connected && this.#inFlight.length < WINDOW) {
      const message = this.#waiting.shift();
      if (message === undefined) return;
      message.sends++;
      message.sentAt = this.#box.trueTime;
      if (message.qos === 0) {
        this.#connection?.send(publishFrame({ ...message, qos: 0 }));
        continue;
      }
      const flight = { id: this.#freeId(), message, taken: false };
      this.#inFlight.push(flight);
      this.#connection?.send(publishFrame({ ...message, id: flight.id }));
    }
  }

  #sendAgain(): void {
    for (const { id, message, taken } of this.#inFlight) {
      if (!taken) message.sends++;
      this.#connection?.send(taken ? pubrelFrame(id) : publishFrame({ ...message, id, dup: true }));
    }
  }

  #freeId(): number {
    do this.#nextId = (this.#nextId % 65_535) + 1;
    while (this.#inFlight.some(({ id }) => id === this.#nextId));
    return this.#nextId;
  }

  #take(bytes: Uint8Array): void {
    this.#heardMs = this.#time.nowMs;
    this.#received = Buffer.concat([this.#received, bytes]);
    for (;;) {
      const length = frameLength(this.#received);
      if (length === undefined || this.#received.length < length) return;
      const frame = this.#received.subarray(0, length);
      this.#received = this.#received.subarray(length);
      this.#answer(frame);
    }
  }

  #answer(frame: Buffer): void {
    const type = frame[0]! >> 4;
    if (type === Frame.connack) {
      if (frame[3] !== 0) throw new Error(`${this.id} was refused: ${frame.toString('hex')}`);
      this.#connected = true;
      this.#sendAgain();
    } else {
      const id = frame.readUInt16BE(2);
      const flight = this.#inFlight.find((one) => one.id === id);
      if (flight === undefined) throw new Error(`${this.id} got an answer to nothing: ${frame.toString('hex')}`);
      if (type === Frame.pubrec) {
        flight.taken = true;
        this.#connection?.send(pubrelFrame(id));
      } else {
        this.#inFlight = this.#inFlight.filter((one) => one !== flight);
      }
      flight.message.acknowledgedAt ??= this.#box.trueTime;
    }
    this.#send();
  }
}
