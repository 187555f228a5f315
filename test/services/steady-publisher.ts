/**
 * A program: devices that publish numbered readings at QoS 1, as fast as the broker takes them, and send again what was not acknowledged,
 * and only that, over any number of lost connections. Their bytes are written out by hand: no library decides what is sent again.
 *
 *     node steady-publisher.ts PORT DEVICES IN_FLIGHT T0
 *
 * Reading `seq` of a device has the value `seq` and the time `T0 + 10 × seq` ms. It publishes until its standard input ends, waits for
 * what is unacknowledged, and prints how many readings each device has had acknowledged, and over how many connections.
 */
import { connect, type Socket } from 'node:net';
import { connectFrame, publishFrame } from '../devices/mqtt/raw-client.ts';

const [port, deviceCount, inFlight, t0] = process.argv.slice(2).map(Number) as [number, number, number, number];
const RECONNECT_MS = 20;
/** More than are ever in flight, so that an id is free again when it comes round. */
const IDS = 60_000;
let ending = false;

class Device {
  readonly name: string;
  readonly #done: () => void;
  readonly #unacknowledged = new Map<number, number>();
  #socket: Socket | undefined;
  #received = Buffer.alloc(0);
  #next = 0;
  acknowledged = 0;
  connections = 0;

  constructor(name: string, done: () => void) {
    this.name = name;
    this.#done = done;
    this.#connect();
  }

  #connect(): void {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    this.#socket = socket;
    this.#received = Buffer.alloc(0);
    socket.on('connect', () => socket.write(connectFrame({ id: this.name })));
    socket.on('data', (data) => this.#take(data));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      if (!this.#isDone()) setTimeout(() => this.#connect(), RECONNECT_MS);
    });
  }

  /** Everything a broker answers here is four bytes long: CONNACK and PUBACK. */
  #take(data: Buffer): void {
    this.#received = Buffer.concat([this.#received, data]);
    while (this.#received.length >= 4) {
      const frame = this.#received.subarray(0, 4);
      this.#received = this.#received.subarray(4);
      if (frame[0] === 0x20 && frame[3] === 0) this.#begin();
      else if (frame[0] === 0x40) this.#acknowledge(frame.readUInt16BE(2));
      else throw new Error(`${this.name} was answered ${frame.toString('hex')}`);
    }
    this.publish();
  }

  #begin(): void {
    this.connections++;
    for (const [id, seq] of this.#unacknowledged) this.#send(id, seq, true);
  }

  #acknowledge(id: number): void {
    if (!this.#unacknowledged.delete(id)) throw new Error(`${this.name}: ${id} is acknowledged, but was not sent`);
    this.acknowledged++;
  }

  publish(): void {
    const frames: Buffer[] = [];
    while (!ending && this.#unacknowledged.size < inFlight) {
      const seq = this.#next++;
      const id = (seq % IDS) + 1;
      this.#unacknowledged.set(id, seq);
      frames.push(this.#frame(id, seq, false));
    }
    if (frames.length > 0) this.#socket!.write(Buffer.concat(frames));
    if (this.#isDone()) {
      this.#socket!.destroy();
      this.#done();
    }
  }

  #send(id: number, seq: number, dup: boolean): void {
    this.#socket!.write(this.#frame(id, seq, dup));
  }

  #frame(id: number, seq: number, dup: boolean): Buffer {
    return publishFrame({
      topic: `sensors/${this.name}/seq`,
      payload: `{"value":${seq},"ts":${t0 + seq * 10}}`,
      id,
      dup,
    });
  }

  #isDone(): boolean {
    return ending && this.#unacknowledged.size === 0;
  }
}

let left = deviceCount;
const devices = Array.from(
  { length: deviceCount },
  (_, i) =>
    new Device(`steady-${i}`, () => {
      if (--left > 0) return;
      const report = devices.map(({ name, acknowledged, connections }) => ({ name, acknowledged, connections }));
      process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit());
    }),
);
process.stdin.on('end', () => {
  ending = true;
});
process.stdin.resume();
