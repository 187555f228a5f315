import { connect, type Socket } from 'node:net';
import { parseArgs } from 'node:util';

/**
 * A raw-socket MQTT load: QoS 1 publishes from many connections with a fixed number in flight on each. Frames are written
 * by hand and only PUBACKs are counted, so that the generator costs less than what it measures. Prints one line of JSON.
 *
 *     node bench/mqtt-load.ts --port 1883 --connections 50 --in-flight 100 --messages 500000
 */
const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string' },
    connections: { type: 'string', default: '50' },
    'in-flight': { type: 'string', default: '100' },
    messages: { type: 'string', default: '500000' },
    'max-seconds': { type: 'string', default: '60' },
    user: { type: 'string' },
    password: { type: 'string' },
  },
});
const port = Number(values.port);
const connections = Number(values.connections);
const inFlight = Number(values['in-flight']);
const perConnection = Math.floor(Number(values.messages) / connections);
const total = perConnection * connections;
const maxMs = Number(values['max-seconds']) * 1000;
if (!(port > 0 && connections > 0 && inFlight > 0 && inFlight < 65_536 && perConnection > 0 && maxMs > 0)) {
  process.stderr.write(
    'usage: mqtt-load --port N [--connections N] [--in-flight N] [--messages N] [--max-seconds N]\n',
  );
  process.exit(2);
}

/** Latencies are kept of one message in this many. */
const SAMPLE_EVERY = 97;
const latencies: number[] = [];
const startTime = Date.now();
let acknowledged = 0;
let started = false;
let failures = 0;
let finished: (ok: boolean) => void = () => undefined;

class Publisher {
  readonly #topic: string;
  readonly #socket: Socket;
  readonly ready: Promise<void>;
  #rest: Buffer = Buffer.alloc(0);
  #sent = 0;
  #acked = 0;
  #id = 0;
  #connected: () => void = () => undefined;
  #sampled: { readonly seq: number; readonly at: number }[] = [];

  constructor(index: number) {
    this.#topic = `sensors/device-${index}/temperature`;
    this.ready = new Promise((resolve) => {
      this.#connected = resolve;
    });
    this.#socket = connect({ host: values.host, port, noDelay: true }, () => this.#socket.write(connectFrame(index)));
    this.#socket.on('data', (data) => this.#receive(data));
    this.#socket.on('error', () => this.#socket.destroy());
    this.#socket.on('close', () => {
      if (this.#acked < perConnection) {
        failures++;
        finished(false);
      }
    });
  }

  /** Fills the window: all its frames in one write. */
  fill(): void {
    const frames: Buffer[] = [];
    while (this.#sent < perConnection && this.#sent - this.#acked < inFlight) frames.push(this.#publishFrame());
    if (frames.length > 0) this.#socket.write(frames.length === 1 ? frames[0]! : Buffer.concat(frames));
  }

  end(): void {
    this.#socket.destroy();
  }

  #publishFrame(): Buffer {
    const seq = this.#sent++;
    this.#id = this.#id === 65_535 ? 1 : this.#id + 1;
    if (seq % SAMPLE_EVERY === 0) this.#sampled.push({ seq, at: performance.now() });
    const value = (20 + (seq % 1000) / 100).toFixed(2);
    const payload = `{"value":${value},"ts":${startTime + seq}}`;
    const length = 2 + this.#topic.length + 2 + payload.length;
    const frame = Buffer.allocUnsafe(2 + length);
    frame[0] = 0x32;
    frame[1] = length;
    frame.writeUInt16BE(this.#topic.length, 2);
    frame.write(this.#topic, 4, 'latin1');
    frame.writeUInt16BE(this.#id, 4 + this.#topic.length);
    frame.write(payload, 6 + this.#topic.length, 'latin1');
    return frame;
  }

  #receive(data: Buffer): void {
    const bytes = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]);
    let at = 0;
    for (; at + 4 <= bytes.length; at += 4) {
      if (bytes[at] === 0x40) this.#acked++;
      else if (bytes[at] === 0x20 && bytes[at + 3] === 0) this.#connected();
      else this.#socket.destroy();
    }
    this.#rest = at === bytes.length ? Buffer.alloc(0) : bytes.subarray(at);
    this.#count();
    if (started) this.fill();
  }

  #counted = 0;

  #count(): void {
    acknowledged += this.#acked - this.#counted;
    this.#counted = this.#acked;
    const now = performance.now();
    while (this.#sampled.length > 0 && this.#sampled[0]!.seq < this.#acked) {
      latencies.push(now - this.#sampled.shift()!.at);
    }
    if (acknowledged === total) finished(true);
  }
}

function connectFrame(index: number): Buffer {
  const strings = [`load-${process.pid}-${index}`, values.user, values.password].filter((s) => s !== undefined);
  const flags = 0x02 | (values.user === undefined ? 0 : 0x80) | (values.password === undefined ? 0 : 0x40);
  const body = Buffer.concat([
    Buffer.from([0, 4, 0x4d, 0x51, 0x54, 0x54, 4, flags, 0, 60]),
    ...strings.map(mqttString),
  ]);
  if (body.length > 127) throw new Error('user name and password are too long for this generator');
  return Buffer.concat([Buffer.from([0x10, body.length]), body]);
}

function mqttString(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
}

const timer = setTimeout(() => {
  process.stderr.write(`gave up after ${maxMs} ms: ${acknowledged} of ${total} acknowledged\n`);
  finished(false);
}, maxMs);
const publishers: Publisher[] = [];
// Connected in groups: a storm of connects is another benchmark.
for (let i = 0; i < connections; i += 100) {
  const group = Array.from({ length: Math.min(100, connections - i) }, (_, k) => new Publisher(i + k));
  publishers.push(...group);
  await Promise.race([
    Promise.all(group.map((publisher) => publisher.ready)),
    new Promise((r) => setTimeout(r, maxMs)),
  ]);
}
const begin = performance.now();
const done = new Promise<boolean>((resolve) => {
  finished = resolve;
});
started = true;
for (const publisher of publishers) publisher.fill();
const ok = await done;
const seconds = (performance.now() - begin) / 1000;
clearTimeout(timer);
for (const publisher of publishers) publisher.end();
latencies.sort((a, b) => a - b);
const quantile = (q: number) => Number((latencies[Math.floor((latencies.length - 1) * q)] ?? 0).toFixed(2));
process.stdout.write(
  `${JSON.stringify({
    connections,
    inFlight,
    messages: acknowledged,
    seconds: Number(seconds.toFixed(3)),
    messagesPerSecond: Math.round(acknowledged / seconds),
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    failures,
  })}\n`,
);
process.exit(ok ? 0 : 1);
