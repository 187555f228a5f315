import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { expect } from 'vitest';

/** One request as it came; its body as it was read by the server's `read`. */
export interface Received<Body> {
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Body;
}

/** What the server does with a request. */
export type Answer<Body> = (received: Received<Body>, response: ServerResponse) => void;

/** An HTTP server that misbehaves as no real one does on demand: `answer` decides anew for each request. */
export class PretendedServer<Body> {
  readonly received: Received<Body>[] = [];
  answer: Answer<Body> = (_, response) => response.writeHead(204).end();
  connections = 0;
  readonly #read: (text: string) => Body;
  readonly #server: Server;
  #port = 0;

  private constructor(read: (text: string) => Body) {
    this.#read = read;
    this.#server = createServer((request, response) => this.#take(request, response));
    this.#server.on('connection', () => this.connections++);
  }

  static async start<Body>(read: (text: string) => Body): Promise<PretendedServer<Body>> {
    const server = new PretendedServer(read);
    await server.listen();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** After a stop at the same port. */
  async listen(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /** Waits until no connection is open. */
  async connectionsAreGone(): Promise<void> {
    const open = () => new Promise<number>((resolve) => this.#server.getConnections((_, count) => resolve(count)));
    await expect.poll(open, { timeout: 2000, interval: 5 }).toBe(0);
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const sent = Buffer.concat(parts);
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent;
    const received = { url: request.url ?? '', headers: request.headers, body: this.#read(body.toString()) };
    this.received.push(received);
    this.answer(received, response);
  }
}
