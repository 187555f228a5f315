/**
 * A program: devices that publish numbered readings at QoS 1 and send again what was not acknowledged, and only that, over any number
 * of lost connections. Their bytes are written out by hand: no library decides what is sent again.
 *
 *     node publish-steadily.ts '{"port":1883, …}'        the options are `PublishingOptions` of publisher.ts
 *
 * Reading `seq` of a device has the value `seq` and a fixed source time. Commands come as lines on standard input: `report` answers with
 * the ledger of this moment, `end` (or the end of input) publishes no more, waits for what is unacknowledged, answers with the ledger, and
 * ends. `{"accepting":true}` is told of the first acknowledgement after all connections were lost.
 */
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { connectFrame, publishFrame } from '../devices/mqtt/raw-client.ts';
import type { PublishingOptions, SentByDevice } from './publisher.ts';

const options = JSON.parse(process.argv[2]!) as Required<PublishingOptions> & { readonly resume?: SentByDevice[] };
const RECONNECT_MS = 20;
const TICK_MS = 5;
/** More than are ever in flight, so that an id is free again when it comes round. */
const IDS = 60_000;
/** Latencies are kept of one reading in so many, or of each where they come slowly. */
const SAMPLE_EVERY = options.perSecond > 0 ? 1 : 16;
const padding = options.padding > 0 ? `,"pad":"${'x'.repeat(options.padding)}"` : '';
const latencies: number[] = [];
const begun = performance.now();
let ending = false;
let isAccepting = false;

class Device {
  readonly name: string;
  /** Readings after which it ends by itself. */
  readonly #count: number;
  /** Sequence numbers by packet id, with the time of the first sending where it is measured. */
  readonly #unacknowledged = new Map<number, { readonly seq: number; readonly sentAt: number }>();
  #socket: Socket | undefined;
  #connected = false;
  #received = Buffer.alloc(0);
  #next: number;
  isFinished = false;
  connections = 0;

  constructor(name: string, count: number, past: SentByDevice | undefined) {
    this.name = name;
    this.#count = count;
    this.#next = past?.sent ?? 0;
    for (const seq of past?.unacknowledged ?? []) this.#unacknowledged.set(idOf(seq), { seq, sentAt: 0 });
    this.#connect();
  }

  report(): SentByDevice {
    const unacknowledged = [...this.#unacknowledged.values()].map(({ seq }) => seq);
    return { name: this.name, sent: this.#next, unacknowledged, connections: this.connections };
  }

  get isConnected(): boolean {
    return this.#connected;
  }

  #connect(): void {
    const socket = connect({ host: '127.0.0.1', port: options.port, noDelay: true });
    this.#socket = socket;
    this.#received = Buffer.alloc(0);
    socket.on('connect', () => socket.write(connectFrame({ id: this.name })));
    socket.on('data', (data) => this.#take(data));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#connected = false;
      if (devices.every(({ isConnected }) => !isConnected)) isAccepting = false;
      if (!this.isFinished) setTimeout(() => this.#connect(), RECONNECT_MS);
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
    this.#connected = true;
    this.connections++;
    for (const [id, { seq }] of this.#unacknowledged) this.#socket!.write(this.#frame(id, seq, true));
  }

  #acknowledge(id: number): void {
    const sent = this.#unacknowledged.get(id);
    if (sent === undefined) throw new Error(`${this.name}: ${id} is acknowledged, but was not sent`);
    this.#unacknowledged.delete(id);
    if (sent.sentAt > 0) latencies.push(performance.now() - sent.sentAt);
    if (isAccepting) return;
    isAccepting = true;
    tell({ accepting: true });
  }

  publish(): void {
    if (!this.#connected) return;
    const frames: Buffer[] = [];
    for (
      const most = Math.min(this.#count, mostNow());
      this.#next < most && this.#unacknowledged.size < options.inFlight;
    ) {
      const seq = this.#next++;
      const sentAt = seq % SAMPLE_EVERY === 0 ? performance.now() : 0;
      this.#unacknowledged.set(idOf(seq), { seq, sentAt });
      frames.push(this.#frame(idOf(seq), seq, false));
    }
    if (frames.length > 0) this.#socket!.write(Buffer.concat(frames));
    const isThrough = ending || this.#next >= this.#count;
    if (!isThrough || this.#unacknowledged.size > 0 || this.isFinished) return;
    this.isFinished = true;
    this.#socket!.destroy();
    finish();
  }

  #frame(id: number, seq: number, dup: boolean): Buffer {
    const { t0, stepMs, poisonEvery, modulo } = options;
    const value = modulo > 0 ? seq % modulo : seq;
    const isPoison = poisonEvery > 0 && seq % poisonEvery === 0;
    return publishFrame({
      topic: `sensors/${this.name}/${isPoison ? 'poison' : 'seq'}`,
      payload: `{"value":${value},"ts":${t0 + seq * stepMs}${padding}}`,
      id,
      dup,
    });
  }
}

function idOf(seq: number): number {
  return (seq % IDS) + 1;
}

function countOf(device: number): number {
  const { count } = options;
  return typeof count === 'number' ? count : count[device]!;
}

/** How many readings of a device may have been sent by now. */
function mostNow(): number {
  if (ending) return 0;
  if (options.perSecond === 0) return Number.POSITIVE_INFINITY;
  return Math.floor(((performance.now() - begun) / 1000) * (options.perSecond / options.devices));
}

function tell(what: object): Promise<void> {
  return new Promise((resolve) => process.stdout.write(`${JSON.stringify(what)}\n`, () => resolve()));
}

function report(): object {
  const sorted = latencies.toSorted((a, b) => a - b);
  const quantile = (q: number) => sorted[Math.floor((sorted.length - 1) * q)] ?? 0;
  return {
    devices: devices.map((device) => device.report()),
    seconds: (performance.now() - begun) / 1000,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
  };
}

function finish(): void {
  if (!devices.every(({ isFinished }) => isFinished)) return;
  void tell(report()).then(() => process.exit());
}

const devices = Array.from(
  { length: options.devices },
  (_, i) => new Device(`${options.prefix}-${i}`, countOf(i), options.resume?.[i]),
);
const endPublishing = () => {
  ending = true;
  for (const device of devices) device.publish();
};
createInterface({ input: process.stdin })
  .on('line', (line) => {
    if (line === 'report') void tell(report());
    else endPublishing();
  })
  .on('close', endPublishing);
if (options.perSecond > 0) {
  setInterval(() => {
    for (const device of devices) device.publish();
  }, TICK_MS);
}
