import { once } from 'node:events';
import { createServer, request as forward, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Random } from '../../simulators/random.ts';

/**
 * What becomes of a request: `refuse` the connection is cut at once, `hang` no answer, `crawl` the answer comes a byte at a time,
 * `unheard` the request is read and the connection cut, `lost` the server has done what was asked and the answer is lost, a number is the
 * answer's status, and `random` is any of these that may pass, another one for each request.
 */
export type Misbehaviour = 'pass' | 'refuse' | 'hang' | 'crawl' | 'unheard' | 'lost' | 'random' | number;

const TRANSIENT: readonly Misbehaviour[] = ['pass', 'pass', 'refuse', 'unheard', 'lost', 500, 503, 429];
/** How long a client is asked to wait with a 429, in seconds. */
export const RETRY_AFTER_SECONDS = 2;
const CRAWL_MS = 150;

/** A proxy in front of a real server that does to requests what networks and servers do on bad days. */
export class MisbehavingServer {
  readonly #server: Server;
  readonly #target: URL;
  readonly #random: Random;
  readonly #counted: string;
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Now. */
  behaviour: Misbehaviour = 'pass';
  /** Moments of all requests that count, by `performance.now()`, with what became of them. */
  readonly requests: { readonly at: number; readonly behaviour: Misbehaviour }[] = [];
  /** Connections that are open. */
  connections = 0;
  mostConnections = 0;
  url = '';

  private constructor(target: string, random: Random, counted: string) {
    this.#counted = counted;
    this.#target = new URL(target);
    this.#random = random;
    this.#server = createServer((request, response) => this.#take(request, response));
    this.#server.on('connection', (socket) => {
      this.connections++;
      this.mostConnections = Math.max(this.mostConnections, this.connections);
      socket.on('close', () => this.connections--);
      if (this.behaviour === 'refuse') socket.destroy();
    });
  }

  /** @param target where the real one listens; `counted` is how the paths of requests begin that count */
  static async start(target: string, random: Random, counted: string): Promise<MisbehavingServer> {
    const proxy = new MisbehavingServer(target, random, counted);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    const address = proxy.#server.address();
    proxy.url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    return proxy;
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const isRandom = this.behaviour === 'random';
    const behaviour = isRandom ? TRANSIENT[Math.floor(this.#random.between(0, TRANSIENT.length))]! : this.behaviour;
    if (request.url?.startsWith(this.#counted) === true) this.requests.push({ at: performance.now(), behaviour });
    request.on('error', () => response.destroy());
    switch (behaviour) {
      case 'refuse':
        request.socket.destroy();
        return;
      case 'hang':
        request.resume();
        return;
      case 'unheard':
        request.resume().on('end', () => request.socket.destroy());
        return;
      case 'pass':
      case 'crawl':
      case 'lost':
      case 'random':
        this.#forward(request, response, behaviour);
        return;
      default:
        request.resume().on('end', () => answer(response, behaviour));
    }
  }

  #forward(request: IncomingMessage, response: ServerResponse, behaviour: Misbehaviour): void {
    const { hostname, port } = this.#target;
    const { method, url, headers } = request;
    const target = forward({ hostname, port, method, path: url, headers }, (answered) => {
      const chunks: Buffer[] = [];
      answered.on('data', (chunk: Buffer) => chunks.push(chunk));
      answered.on('end', () => {
        if (behaviour === 'lost') {
          request.socket.destroy();
          return;
        }
        const body = Buffer.concat(chunks);
        const { 'content-length': _, ...rest } = answered.headers;
        response.writeHead(answered.statusCode!, rest);
        if (behaviour === 'crawl') this.#crawl(response, Buffer.concat([body, Buffer.from('\n'.repeat(20))]));
        else response.end(body);
      });
    });
    target.on('error', () => request.socket.destroy());
    request.pipe(target);
  }

  #crawl(response: ServerResponse, body: Buffer): void {
    let sent = 0;
    // The head is all that a 204 has.
    response.flushHeaders();
    const timer = setInterval(() => {
      if (sent < body.length && !response.destroyed) response.write(body.subarray(sent, ++sent));
      else {
        clearInterval(timer);
        this.#timers.delete(timer);
        response.end();
      }
    }, CRAWL_MS);
    this.#timers.add(timer);
  }
}

function answer(response: ServerResponse, status: number): void {
  const wait = status === 429 ? { 'retry-after': String(RETRY_AFTER_SECONDS) } : {};
  const reason = status === 404 ? 'database not found: \\"headgate\\"' : `made to answer ${status}`;
  response.writeHead(status, { 'content-type': 'application/json', ...wait }).end(`{"error":"${reason}"}`);
}
