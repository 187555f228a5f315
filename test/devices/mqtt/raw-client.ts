import { connect, type Socket } from 'node:net';

/**
 * An MQTT client that speaks bytes: frames are written out by hand, so that a test can send what no library would, and sees
 * exactly what comes back.
 */
export class RawClient {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #closed = false;
  #wake: (() => void)[] = [];

  /** @param to a port of this machine, or a socket that is connected or connecting, as one with TLS */
  constructor(to: number | Socket) {
    this.socket = typeof to === 'number' ? connect({ host: '127.0.0.1', port: to, noDelay: true }) : to;
    this.socket.on('data', (data) => {
      this.#received = Buffer.concat([this.#received, data]);
      this.#wakeAll();
    });
    this.socket.on('error', () => this.socket.destroy());
    this.socket.on('close', () => {
      this.#closed = true;
      this.#wakeAll();
    });
  }

  /** Connects with a client id and waits for CONNACK; answers its return code. */
  static async connect(to: number | Socket, options: ConnectOptions): Promise<RawClient> {
    const client = new RawClient(to);
    client.send(connectFrame(options));
    const connack = await client.frame();
    if (connack?.[0] !== 0x20 || connack[3] !== 0) throw new Error(`no CONNACK 0: ${connack?.toString('hex')}`);
    return client;
  }

  send(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The next whole frame; undefined when the connection closed before it came. Rejects when neither happens in time. */
  async frame(timeoutMs = 5000): Promise<Buffer | undefined> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const length = frameLength(this.#received);
      if (length !== undefined && this.#received.length >= length) {
        const frame = this.#received.subarray(0, length);
        this.#received = this.#received.subarray(length);
        return frame;
      }
      if (this.#closed) return undefined;
      await this.#changed(deadline);
    }
  }

  /** Resolves when the broker has closed the connection. */
  async waitClosed(timeoutMs = 5000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!this.#closed) await this.#changed(deadline);
  }

  /** True when the broker answers a PINGREQ, and so the connection is alive. */
  async answersPing(): Promise<boolean> {
    this.send(Buffer.from([0xc0, 0]));
    for (;;) {
      const frame = await this.frame();
      if (frame === undefined) return false;
      if (frame[0] === 0xd0) return true;
    }
  }

  /** True when the answer to a PINGREQ comes before any other: nothing that was sent before it has been answered. */
  async answersPingFirst(): Promise<boolean> {
    this.send(Buffer.from([0xc0, 0]));
    return (await this.frame())?.[0] === 0xd0;
  }

  close(): void {
    this.socket.destroy();
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  #changed(deadline: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`nothing more in time; have ${this.#received.toString('hex')}`)),
        Math.max(0, deadline - performance.now()),
      );
      this.#wake.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}

export interface ConnectOptions {
  readonly id: string;
  readonly clean?: boolean;
  /** In seconds. @default 60 */
  readonly keepAlive?: number;
  readonly user?: string;
  readonly password?: string;
  readonly will?: { readonly topic: string; readonly payload: string; readonly qos?: number };
}

export function connectFrame({ id, clean = true, keepAlive = 60, user, password, will }: ConnectOptions): Buffer {
  let flags = clean ? 0x02 : 0;
  const fields = [text(id)];
  if (will !== undefined) {
    flags |= 0x04 | ((will.qos ?? 0) << 3);
    fields.push(text(will.topic), text(will.payload));
  }
  if (user !== undefined) {
    flags |= 0x80;
    fields.push(text(user));
  }
  if (password !== undefined) {
    flags |= 0x40;
    fields.push(text(password));
  }
  return frame(
    0x10,
    Buffer.concat([text('MQTT'), Buffer.from([4, flags, keepAlive >> 8, keepAlive & 255]), ...fields]),
  );
}

export interface PublishOptions {
  readonly topic: string | Uint8Array;
  readonly payload: string | Uint8Array;
  readonly qos?: 0 | 1 | 2;
  readonly id?: number;
  readonly dup?: boolean;
  readonly retain?: boolean;
}

export function publishFrame({ topic, payload, qos = 1, id = 1, dup = false, retain = false }: PublishOptions): Buffer {
  const head = 0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0);
  const body = [text(topic), ...(qos > 0 ? [Buffer.from([id >> 8, id & 255])] : []), Buffer.from(payload as string)];
  return frame(head, Buffer.concat(body));
}

export function subscribeFrame(filter: string, qos = 0, id = 1): Buffer {
  return frame(0x82, Buffer.concat([Buffer.from([id >> 8, id & 255]), text(filter), Buffer.from([qos])]));
}

export function pubrelFrame(id: number): Buffer {
  return Buffer.from([0x62, 2, id >> 8, id & 255]);
}

export function frame(head: number, body: Uint8Array): Buffer {
  const length: number[] = [];
  let rest = body.length;
  do {
    length.push((rest & 127) | (rest > 127 ? 128 : 0));
    rest >>= 7;
  } while (rest > 0);
  return Buffer.concat([Buffer.from([head, ...length]), body]);
}

function text(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
}

/** Length of the first frame, once enough of it is there to tell. */
export function frameLength(bytes: Uint8Array): number | undefined {
  let length = 0;
  for (let i = 1; i < bytes.length && i < 5; i++) {
    length += (bytes[i]! & 127) << (7 * (i - 1));
    if (bytes[i]! < 128) return i + 1 + length;
  }
  return undefined;
}
