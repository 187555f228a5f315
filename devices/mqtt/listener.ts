import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { GatewayError, messageOf } from '../../gateway/core/errors.ts';

/** Where to listen for connections. */
export interface ListenAddress {
  /** A name or address of this machine; `0.0.0.0` and `::` are all of them. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

/** How the broker proves to its clients who it is: PEM text, as the configuration has read it. */
export interface TlsIdentity {
  /** The certificate, with its chain. */
  readonly cert: string;
  /** Its private key; never logged. */
  readonly key: string;
}

/** How many connections may be open at a time; one more is closed at once and counted. */
export interface ListenerLimits {
  /** All addresses together. */
  readonly maxConnections: number;
  /** From one peer address. */
  readonly maxConnectionsPerAddress: number;
}

/** Takes connections: from the network or, in a test, from elsewhere. */
export interface ConnectionListener {
  /** Listens; resolves with the port, rejects with a `GatewayError` where that is not possible. */
  listen(address: ListenAddress, tls?: TlsIdentity): Promise<number>;
  /** Stops listening and cuts all connections. */
  close(): Promise<void>;
  /** Connections beyond the limits. */
  readonly refusedTotal: number;
}

/** Makes a listener that hands over every connection within the limits. */
export type MakeListener = (limits: ListenerLimits, connected: (stream: Duplex) => void) => ConnectionListener;

/** After this long without a sign of life from the peer's TCP, the connection is probed. */
const TCP_KEEP_ALIVE_MS = 60_000;

/** Takes connections on several addresses, bounded in all and for each peer address. */
export class Listener implements ConnectionListener {
  readonly #limits: ListenerLimits;
  readonly #connected: (socket: Socket) => void;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #byAddress = new Map<string, number>();
  #refusedTotal = 0;

  constructor(limits: ListenerLimits, connected: (socket: Socket) => void) {
    this.#limits = limits;
    this.#connected = connected;
  }

  get refusedTotal(): number {
    return this.#refusedTotal;
  }

  async listen(address: ListenAddress, tls?: TlsIdentity): Promise<number> {
    const server = tls === undefined ? createServer({ noDelay: true }) : this.#createTls(address, tls);
    if (tls === undefined) server.on('connection', (socket) => this.#admit(socket) && this.#connected(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(cannotListen(address, error)));
      server.listen(address.port, address.host, resolve);
    });
    this.#servers.push(server);
    const bound = server.address();
    return typeof bound === 'object' && bound !== null ? bound.port : address.port;
  }

  /** Stops listening and cuts all connections. */
  async close(): Promise<void> {
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)));
    this.#servers.length = 0;
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }

  #createTls(address: ListenAddress, { cert, key }: TlsIdentity): Server {
    try {
      const server = createTlsServer({ cert, key, noDelay: true, handshakeTimeout: 5_000 });
      // Counted as TCP, before the handshake: that is where a flood would cost most.
      server.on('connection', (socket: Socket) => this.#admit(socket));
      server.on('secureConnection', (socket) => this.#connected(socket));
      return server;
    } catch (cause) {
      throw new GatewayError(
        `Cannot use the TLS certificate or key for ${address.host}:${address.port}: ${messageOf(cause)}`,
        {
          hint: 'both are PEM, the key is not protected by a passphrase, and it belongs to the first certificate',
          cause,
        },
      );
    }
  }

  #admit(socket: Socket): boolean {
    const address = socket.remoteAddress ?? '';
    const count = this.#byAddress.get(address) ?? 0;
    if (this.#sockets.size >= this.#limits.maxConnections || count >= this.#limits.maxConnectionsPerAddress) {
      this.#refusedTotal++;
      socket.destroy();
      return false;
    }
    this.#sockets.add(socket);
    this.#byAddress.set(address, count + 1);
    socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
    socket.once('close', () => this.#forget(socket, address));
    return true;
  }

  #forget(socket: Socket, address: string): void {
    this.#sockets.delete(socket);
    const left = (this.#byAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#byAddress.delete(address);
    else this.#byAddress.set(address, left);
  }
}

function cannotListen(address: ListenAddress, cause: Error): GatewayError {
  const code = 'code' in cause ? cause.code : undefined;
  const where = `${address.host}:${address.port}`;
  return new GatewayError(`Cannot listen for MQTT on ${where}: ${cause.message}`, {
    hint:
      code === 'EADDRINUSE'
        ? `another program, perhaps another broker, has the port; stop it, or give the source another \`listen\` than ${where}`
        : code === 'EACCES'
          ? 'ports below 1024 need a privilege; choose a higher one'
          : `\`listen\` names an address of this machine and a free port, as in 127.0.0.1:1883`,
    cause,
  });
}
