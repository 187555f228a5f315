import { createServer, type Server, type Socket } from 'node:net';
import { Aedes, type AedesPublishPacket } from 'aedes';

/** What a broker received: topic, payload, and QoS. */
export interface Received {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
}

/**
 * A broker of aedes in this process that keeps what it was sent, and can die as a killed process does: sockets are
 * destroyed, nothing is answered any more.
 */
export class TestBroker {
  readonly received: Received[] = [];
  /** Called before a publish is acknowledged. */
  onPublish: () => void = () => undefined;
  #aedes: Aedes | undefined;
  #server: Server | undefined;
  readonly #sockets = new Set<Socket>();
  port = 0;

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const aedes = await Aedes.createBroker();
    aedes.authorizePublish = (_client, packet, done) => {
      this.onPublish();
      this.#keep(packet as AedesPublishPacket);
      done(null);
    };
    const server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      aedes.handle(socket);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, '127.0.0.1', resolve);
    });
    const address = server.address();
    if (address !== null && typeof address === 'object') this.port = address.port;
    this.#aedes = aedes;
    this.#server = server;
  }

  /** Dies at once; `start` brings it back on the same port, without memory of its sessions. */
  async kill(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const server = this.#server;
    this.#server = undefined;
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
    const aedes = this.#aedes;
    this.#aedes = undefined;
    if (aedes !== undefined) await new Promise<void>((resolve) => aedes.close(() => resolve()));
  }

  #keep(packet: AedesPublishPacket): void {
    this.received.push({ topic: packet.topic, payload: packet.payload.toString(), qos: packet.qos });
  }
}
