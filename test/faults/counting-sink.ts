import { once } from 'node:events';
import { createServer, type Server } from 'node:http';

/** Takes line protocol as InfluxDB does, keeps nothing but the number of times that each line came. */
export class CountingSink {
  readonly #server: Server;
  readonly #counts = new Map<string, number>();
  #repeated = 0;
  readonly url: string;

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  /** @param port 0 for any that is free */
  static async start(port = 0): Promise<CountingSink> {
    const server = createServer();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const bound = typeof address === 'object' && address !== null ? address.port : port;
    const sink = new CountingSink(server, `http://127.0.0.1:${bound}`);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        if (request.url?.startsWith('/write') === true) sink.#count(Buffer.concat(chunks).toString());
        response.writeHead(204).end();
      });
    });
    return sink;
  }

  /** Every line that came, once. */
  get lines(): readonly string[] {
    return [...this.#counts.keys()];
  }

  /** Lines that came once more, since the last call. */
  takeRepeated(): number {
    const repeated = this.#repeated;
    this.#repeated = 0;
    return repeated;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #count(body: string): void {
    for (const line of body.split('\n')) {
      const before = this.#counts.get(line) ?? 0;
      this.#counts.set(line, before + 1);
      if (before > 0) this.#repeated++;
    }
  }
}
