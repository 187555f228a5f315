import { connect, type Socket } from 'node:net';
import { connectFrame, publishFrame, pubrelFrame } from '../devices/mqtt/raw-client.ts';

const IN_FLIGHT = 20;
/** Few, so that each is used again soon: a release that was forgotten would cost the next message under the id. */
const IDS = 50;
const RECONNECT_MS = 20;

/** A message on its way. */
interface Sent {
  readonly seq: number;
  /** PUBREC has come: the message itself must not be sent again. */
  received: boolean;
}

/**
 * A device with a lasting session that publishes numbered readings at QoS 2, without a time of their own, and over any number of lost
 * connections does what the standard asks: it sends again each PUBLISH without a PUBREC, marked as such, and each PUBREL without a PUBCOMP.
 */
export class ExactlyOncePublisher {
  readonly name: string;
  readonly #port: number;
  /** By message id, in the order of the messages. */
  readonly #inFlight = new Map<number, Sent>();
  #socket: Socket | undefined;
  #received = Buffer.alloc(0);
  #next = 0;
  #ending = false;
  readonly #done = Promise.withResolvers<void>();
  /** Messages whose exchange is complete. */
  completed = 0;
  /** PUBLISH and PUBREL that were sent again. */
  readonly again = { publish: 0, pubrel: 0 };

  constructor(name: string, port: number) {
    this.name = name;
    this.#port = port;
    this.#connect();
  }

  /** Publishes nothing new; resolves when every exchange is complete. */
  end(): Promise<void> {
    this.#ending = true;
    this.#publish();
    return this.#done.promise;
  }

  #connect(): void {
    const socket = connect({ host: '127.0.0.1', port: this.#port, noDelay: true });
    this.#socket = socket;
    this.#received = Buffer.alloc(0);
    socket.on('connect', () => socket.write(connectFrame({ id: this.name, clean: false })));
    socket.on('data', (data) => this.#take(data));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      if (!this.#isDone()) setTimeout(() => this.#connect(), RECONNECT_MS);
    });
  }

  /** Everything a broker answers here is four bytes long. */
  #take(data: Buffer): void {
    this.#received = Buffer.concat([this.#received, data]);
    while (this.#received.length >= 4) {
      const frame = this.#received.subarray(0, 4);
      this.#received = this.#received.subarray(4);
      const id = frame.readUInt16BE(2);
      if (frame[0] === 0x20 && frame[3] === 0) this.#resume();
      else if (frame[0] === 0x50) this.#release(id);
      else if (frame[0] === 0x70) this.#complete(id);
      else this.#fail(`was answered ${frame.toString('hex')}`);
    }
    this.#publish();
  }

  #resume(): void {
    for (const [id, { seq, received }] of this.#inFlight) {
      this.again[received ? 'pubrel' : 'publish']++;
      this.#socket!.write(received ? pubrelFrame(id) : this.#frame(id, seq, true));
    }
  }

  #release(id: number): void {
    const sent = this.#inFlight.get(id);
    if (sent === undefined) this.#fail(`got a PUBREC for ${id}, which is not in flight`);
    else sent.received = true;
    this.#socket!.write(pubrelFrame(id));
  }

  #complete(id: number): void {
    if (this.#inFlight.get(id)?.received !== true) this.#fail(`got a PUBCOMP for ${id}, which was not released`);
    this.#inFlight.delete(id);
    this.completed++;
  }

  #publish(): void {
    while (!this.#ending && this.#inFlight.size < IN_FLIGHT) {
      const seq = this.#next++;
      let id = (seq % IDS) + 1;
      while (this.#inFlight.has(id)) id = (id % IDS) + 1;
      this.#inFlight.set(id, { seq, received: false });
      this.#socket!.write(this.#frame(id, seq, false));
    }
    if (!this.#isDone()) return;
    this.#socket!.destroy();
    this.#done.resolve();
  }

  #frame(id: number, seq: number, dup: boolean): Buffer {
    return publishFrame({ topic: `sensors/${this.name}/seq`, payload: `{"value":${seq}}`, id, qos: 2, dup });
  }

  #isDone(): boolean {
    return this.#ending && this.#inFlight.size === 0;
  }

  #fail(what: string): void {
    this.#done.reject(new Error(`${this.name} ${what}`));
  }
}
