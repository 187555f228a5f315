import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * What becomes of connections: `refuse` they are cut, those that are open too; `hang` nothing is carried either way; `deaf` what the server says is
 * thrown away, so that it has done what was asked and the answer is lost.
 */
export type Weather = 'pass' | 'refuse' | 'hang' | 'deaf';

/** A TCP proxy in front of a real server that does to connections what networks do on bad days. */
export class CuttingProxy {
  readonly #server: Server;
  readonly #targetPort: number;
  readonly #sockets = new Set<Socket>();
  #weather: Weather = 'pass';
  /** Connections since the start. */
  connectionsTotal = 0;

  private constructor(server: Server, targetPort: number) {
    this.#server = server;
    this.#targetPort = targetPort;
    server.on('connection', (socket) => this.#carry(socket));
  }

  static async start(targetPort: number): Promise<CuttingProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new CuttingProxy(server, targetPort);
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  get weather(): Weather {
    return this.#weather;
  }

  set weather(weather: Weather) {
    this.#weather = weather;
    if (weather === 'refuse') for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #carry(near: Socket): void {
    this.connectionsTotal++;
    if (this.#weather === 'refuse') {
      near.destroy();
      return;
    }
    const far = connect(this.#targetPort, '127.0.0.1');
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    // What was not carried is lost with its connection, as TCP would never skip it: the weather of a connection does not mend.
    let isSpoilt = false;
    const spoils = (weather: Weather) => {
      isSpoilt ||= this.#weather === weather || (this.#weather === 'hang' && weather === 'deaf');
      return isSpoilt;
    };
    near.on('data', (data) => {
      if (!spoils('hang')) far.write(data);
    });
    far.on('data', (data) => {
      if (!spoils('deaf')) near.write(data);
    });
  }
}
