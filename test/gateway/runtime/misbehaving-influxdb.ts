import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { PretendedInfluxdb } from '../sinks/influxdb/pretended-influxdb.ts';

/** What a server does with a write request in place of serving it. `serve` stores the lines and gives the true answer. */
export type Mood = (lines: readonly string[], response: ServerResponse, serve: () => void) => void;

/** An InfluxDB on loopback that does what a test says. */
export class MisbehavingInfluxdb {
  readonly database = new PretendedInfluxdb();
  /** Undefined: it behaves. */
  mood: Mood | undefined;
  /** When each write request came, by the clock of the test. */
  readonly requestedAt: number[] = [];
  /** Databases that were asked for. */
  readonly created: string[] = [];
  /** Write requests that were left without an end to their answer. */
  held = 0;
  readonly #now: () => number;
  #server: Server | undefined;
  #port = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens, on the same port as before. */
  async listen(): Promise<void> {
    const server = createServer((request, response) => {
      this.#take(request, response).catch(() => response.destroy());
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** From now on connections are refused. */
  async close(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }

  /** Connections that are open just now. */
  connections(): Promise<number> {
    return new Promise((resolve) => {
      if (this.#server === undefined) resolve(0);
      else this.#server.getConnections((_error, count) => resolve(count));
    });
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts);
    if (request.url?.startsWith('/query')) {
      this.created.push(new URL(request.url, this.url).searchParams.get('q') ?? '');
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"results":[{"statement_id":0}]}');
      return;
    }
    const lines = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString().split('\n');
    this.requestedAt.push(this.#now());
    const serve = () => {
      const { status, error } = this.database.write(lines);
      response.writeHead(status).end(error === undefined ? undefined : JSON.stringify({ error }));
    };
    if (this.mood === undefined) serve();
    else this.mood(lines, response, serve);
    if (!response.writableEnded && !response.destroyed) this.held++;
  }
}

/** Answers with a status and InfluxDB's words. */
export function says(status: number, error: string, headers: Record<string, string> = {}): Mood {
  return (_lines, response) => void response.writeHead(status, headers).end(JSON.stringify({ error }));
}
