import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';

/** A webhook as the receiver read it. */
export interface ReceivedWebhook {
  readonly id: string;
  /** Why its signature was not believed. */
  readonly problem: string | null;
  readonly path: string;
  readonly body: {
    readonly type: string;
    readonly data: Readonly<Record<string, unknown>> & { readonly alarm: string; readonly state: string };
  };
}

/** A receiver in Python that checks signatures by itself. Its port stays the same when it is killed and started again. */
export class WebhookReceiver {
  readonly received: ReceivedWebhook[] = [];
  readonly port: number;
  readonly #program: string;
  readonly #secret: string;
  #child: ChildProcess | undefined;

  private constructor(program: string, port: number, secret: string) {
    this.#program = program;
    this.port = port;
    this.#secret = secret;
  }

  /** @param program `python3` as `requireProgram` found it */
  static async create(program: string, secret: string): Promise<WebhookReceiver> {
    const receiver = new WebhookReceiver(program, await freePort(), secret);
    await receiver.start();
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hooks/headgate`;
  }

  async start(): Promise<void> {
    const script = join(import.meta.dirname, 'webhook-receiver.py');
    const child = spawn(this.#program, [script, String(this.port), this.#secret], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    let listens = false;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const told = JSON.parse(line);
      if ('port' in told) listens = true;
      else this.received.push(told);
    });
    await eventually('the receiver listens', () => {
      if (child.exitCode !== null) throw new Error(`the receiver ended with ${child.exitCode}`);
      return listens;
    });
  }

  /** At once, in the middle of whatever it does. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await ended;
  }
}
