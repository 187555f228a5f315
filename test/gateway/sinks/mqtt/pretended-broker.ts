import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** A publish as it came. */
export interface Published {
  readonly topic: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** What the broker does with a publish: acknowledges it with a reason code, ends the connection with one, cuts it, or says nothing. */
export type Verdict = { readonly acknowledge: number } | { readonly disconnect: number } | 'cut' | 'silence';

/** What is said to a CONNECT: a reason code, and properties as bytes; or nothing before the connection is closed. */
export interface Welcome {
  readonly code: number;
  readonly properties?: readonly number[];
}

const CONNECT = 1;
const PUBLISH = 3;

/**
 * Speaks so much of MQTT 5 as it takes to be published to with QoS 1, written from the specification, and misbehaves on demand. The well-behaved
 * ones are in test/services.
 */
export class PretendedBroker {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Every publish that was acknowledged with success. */
  readonly accepted: Published[] = [];
  /** By protocol version, of each CONNECT. */
  readonly connects: number[] = [];
  /** Publishes that came in one piece, the most so far. */
  mostAtOnce = 0;
  /** So many acknowledgements are kept back, each until one more message comes; with message `until`, none any more. */
  holdBack = { acknowledgements: 0, until: 0 };
  #heldBack: (() => void)[] = [];
  #publishes = 0;
  judge: (published: Published) => Verdict = () => ({ acknowledge: 0 });
  welcome: (version: number) => Welcome | 'close' = () => ({ code: 0 });

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => this.#serve(socket));
  }

  static async start(host = '127.0.0.1'): Promise<PretendedBroker> {
    const server = createServer();
    server.listen(0, host);
    await once(server, 'listening');
    return new PretendedBroker(server);
  }

  get url(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `mqtt://${address.includes(':') ? `[${address}]` : address}:${port}`;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: Socket): void {
    let unread = Buffer.alloc(0);
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('data', (data) => {
      unread = Buffer.concat([unread, data]);
      const publishes: Buffer[] = [];
      for (let packet = takePacket(unread); packet !== undefined; packet = takePacket(unread)) {
        unread = unread.subarray(packet.length);
        if (packet[0]! >> 4 === CONNECT) this.#connect(packet, socket);
        if (packet[0]! >> 4 === PUBLISH) publishes.push(packet);
      }
      this.mostAtOnce = Math.max(this.mostAtOnce, publishes.length);
      for (const packet of publishes) if (!socket.destroyed) this.#publish(packet, socket);
    });
  }

  #connect(packet: Buffer, socket: Socket): void {
    // Fixed header of two or three bytes, and the name `MQTT` with its length.
    const version = packet[packet.indexOf('MQTT') + 4]!;
    this.connects.push(version);
    const welcome = this.welcome(version);
    if (welcome === 'close') {
      socket.destroy();
      return;
    }
    const { code, properties = [] } = welcome;
    const body = version === 5 ? [0, code, properties.length, ...properties] : [0, code];
    socket.write(Buffer.from([0x20, body.length, ...body]));
  }

  #publish(packet: Buffer, socket: Socket): void {
    let at = 1;
    while (packet[at]! >= 0x80) at++;
    at++;
    const topicEnd = at + 2 + packet.readUInt16BE(at);
    const topic = packet.toString('utf8', at + 2, topicEnd);
    const id = packet.readUInt16BE(topicEnd);
    const payload = JSON.parse(packet.toString('utf8', packet.indexOf('{"id"')));
    const verdict = this.judge({ topic, payload });
    if (verdict === 'cut') socket.destroy();
    else if (typeof verdict === 'string') return;
    else if ('disconnect' in verdict) socket.end(Buffer.from([0xe0, 1, verdict.disconnect]));
    else {
      if (verdict.acknowledge === 0) this.accepted.push({ topic, payload });
      this.#heldBack.push(() => socket.write(Buffer.from([0x40, 3, id >> 8, id & 0xff, verdict.acknowledge])));
      const { acknowledgements, until } = this.holdBack;
      const kept = ++this.#publishes >= until ? 0 : acknowledgements;
      while (this.#heldBack.length > kept) this.#heldBack.shift()!();
    }
  }
}

/** The packet at the beginning of what has come, once it is whole. */
function takePacket(bytes: Buffer): Buffer | undefined {
  let length = 0;
  for (let i = 1; i < Math.min(bytes.length, 5); i++) {
    length += (bytes[i]! & 0x7f) << (7 * (i - 1));
    if (bytes[i]! < 0x80) return bytes.length < i + 1 + length ? undefined : bytes.subarray(0, i + 1 + length);
  }
  return undefined;
}
