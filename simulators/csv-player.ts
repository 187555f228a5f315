import mqtt, { type MqttClient } from 'mqtt';
import { type CsvOptions, type CsvValue, openCsv } from './csv.ts';
import { monotonicMs, pause } from './time.ts';

/** What `playCsv` may be told, besides which CSV. */
export interface PlayCsvOptions extends CsvOptions {
  /** Of the broker, for example `mqtt://127.0.0.1:1883`. */
  readonly url: string;
  /** Where values are published; `{device}` and `{metric}` are filled in. @default sensors/{device}/{metric} */
  readonly topic?: string;
  /** Times real time, by the file's own timestamps, or as fast as the broker acknowledges. @default full */
  readonly speed?: number | 'full';
  /** @default 1 */
  readonly qos?: 0 | 1;
  /** At most this many messages unacknowledged, 1 to 65535. @default 200 */
  readonly inFlight?: number;
  /** Whether what a lost connection left unacknowledged is sent again, in its order. @default true */
  readonly resend?: boolean;
  readonly username?: string;
  readonly password?: string;
  /** Heard about each half a second, and at the end. */
  readonly onProgress?: (counts: PlayCounts) => void;
  /** The ledger: heard once for each message, when its PUBACK has come, in the order of the acknowledgements. */
  readonly onAcknowledged?: (message: PlayedMessage) => void;
  /** Hears of each connection made and lost, in words for a person. */
  readonly onEvent?: (message: string) => void;
}

/** One value as it goes out. */
export interface PlayedMessage {
  readonly topic: string;
  readonly value: CsvValue;
  /** Milliseconds since 1970. */
  readonly ts: number;
}

/** What became of the values. */
export interface PlayCounts {
  /** Distinct messages that were sent at least once. */
  sent: number;
  /** Of these, how many the broker acknowledged; handed to the network, at QoS 0. */
  acknowledged: number;
  /** How many times a message was sent again. */
  resent: number;
  /** Cells that hold no value. */
  empty: number;
}

const RECONNECT_MS = 200;
const PROGRESS_MS = 500;

/**
 * Plays a CSV as MQTT: for each value one message `{"value": …, "ts": …}`, in the order of the file. Survives a broker that dies and
 * comes back: it connects again for as long as the signal allows and sends what was not acknowledged once more.
 *
 * @returns the counts, when everything is acknowledged or the signal has aborted
 * @throws Error when the file cannot be read
 */
export async function playCsv(options: PlayCsvOptions, signal: AbortSignal): Promise<PlayCounts> {
  const { inFlight = 200, speed = 'full' } = options;
  if (!(inFlight >= 1 && inFlight <= 65_535)) {
    throw new RangeError(`Cannot play with ${inFlight} messages in flight: it must be 1 to 65535`);
  }
  if (speed !== 'full' && !(speed > 0))
    throw new RangeError(`Cannot play at speed ${speed}: it must be above 0, or "full"`);
  const table = await openCsv(options);
  const topics = table.metrics.map((metric) =>
    fillTopic(options.topic ?? 'sensors/{device}/{metric}', table.device, metric),
  );
  const publisher = new Publisher(options, inFlight, signal);
  const pace = new Pace(speed);
  publisher.open();
  try {
    for await (const row of table.rows()) {
      if (signal.aborted) break;
      await pace.wait(row.timeMs, signal);
      for (const [i, value] of row.values.entries()) {
        if (value === undefined) publisher.counts.empty++;
        else if (!publisher.offer({ topic: topics[i]!, value, ts: row.timeMs })) await publisher.room();
      }
    }
    await publisher.drained();
  } finally {
    publisher.close();
  }
  return publisher.counts;
}

/** Fills a topic in; what MQTT gives a meaning (`/ + #` and U+0000) becomes `_` inside a name. */
function fillTopic(template: string, device: string, metric: string): string {
  const safe = (name: string) => name.replace(/[/+#\0]/g, '_');
  return template.replaceAll('{device}', safe(device)).replaceAll('{metric}', safe(metric));
}

/** Waits until a row is due by its own time. */
class Pace {
  readonly #speed: number | 'full';
  #startMs: number | undefined;
  #firstMs = 0;

  constructor(speed: number | 'full') {
    this.#speed = speed;
  }

  async wait(timeMs: number, signal: AbortSignal): Promise<void> {
    if (this.#speed === 'full') return;
    if (this.#startMs === undefined) {
      this.#startMs = monotonicMs();
      this.#firstMs = timeMs;
    }
    const waitMs = this.#startMs + (timeMs - this.#firstMs) / this.#speed - monotonicMs();
    if (waitMs > 0) await pause(waitMs, signal);
  }
}

/** A message, and whether it has been on the wire before. */
interface Entry {
  readonly message: PlayedMessage;
  sent: boolean;
}

/**
 * Publishes with a window of its own: what is not acknowledged stays here, not in the MQTT client's store, so that a new
 * connection starts with the oldest unacknowledged message and goes on in order.
 */
class Publisher {
  readonly counts: PlayCounts = { sent: 0, acknowledged: 0, resent: 0, empty: 0 };
  readonly #options: PlayCsvOptions;
  readonly #inFlight: number;
  readonly #signal: AbortSignal;
  /** Sent on this connection and not acknowledged, in order of sending. */
  readonly #unacknowledged = new Set<Entry>();
  /** Not yet sent on this connection, the oldest last. */
  #waiting: Entry[] = [];
  #client: MqttClient | undefined;
  #connected = false;
  #wake: (() => void) | undefined;
  #toldMs = monotonicMs();

  constructor(options: PlayCsvOptions, inFlight: number, signal: AbortSignal) {
    this.#options = options;
    this.#inFlight = inFlight;
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#wake?.(), { once: true });
  }

  /** Connects, and again and again when the connection is lost, until `close`. */
  open(): void {
    const { url, username, password, onEvent } = this.#options;
    const client = mqtt.connect(url, {
      reconnectPeriod: 0,
      connectTimeout: 5_000,
      keepalive: 10,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
    });
    this.#client = client;
    client.on('error', (error) => onEvent?.(`${url}: ${error.message}`));
    client.on('connect', () => {
      onEvent?.(`connected to ${url}`);
      this.#connected = true;
      this.#fill();
    });
    client.on('close', () => {
      if (this.#client === client) void this.#lost(client);
    });
  }

  /** Takes a message; false when the window is full and the caller should wait for `room`. */
  offer(message: PlayedMessage): boolean {
    this.#waiting.unshift({ message, sent: false });
    this.#fill();
    return this.#waiting.length === 0;
  }

  /** Resolves when everything offered is on its way. */
  room(): Promise<void> {
    return this.#until(() => this.#waiting.length === 0);
  }

  /** Resolves when everything offered is acknowledged. */
  async drained(): Promise<void> {
    await this.#until(() => this.#waiting.length === 0 && this.#unacknowledged.size === 0);
    this.#options.onProgress?.(this.counts);
  }

  close(): void {
    const client = this.#client;
    this.#client = undefined;
    client?.end(this.#unacknowledged.size > 0);
    this.#wake?.();
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition() && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }

  async #lost(client: MqttClient): Promise<void> {
    this.#connected = false;
    client.end(true);
    const again = [...this.#unacknowledged];
    this.#unacknowledged.clear();
    if (this.#options.resend ?? true) this.#waiting.push(...again.reverse());
    this.#options.onEvent?.(`lost the connection with ${again.length} messages unacknowledged; connecting again`);
    this.#wake?.();
    await pause(RECONNECT_MS, this.#signal);
    if (this.#client === client && !this.#signal.aborted) this.open();
  }

  #fill(): void {
    const client = this.#client;
    if (client === undefined || !this.#connected) return;
    while (this.#unacknowledged.size < this.#inFlight) {
      const entry = this.#waiting.pop();
      if (entry === undefined) return;
      this.#unacknowledged.add(entry);
      this.#send(client, entry);
    }
  }

  #send(client: MqttClient, entry: Entry): void {
    if (entry.sent) this.counts.resent++;
    else this.counts.sent++;
    entry.sent = true;
    const { topic, value, ts } = entry.message;
    client.publish(topic, JSON.stringify({ value, ts }), { qos: this.#options.qos ?? 1 }, (error) => {
      // an answer for a connection that has been given up comes too late: the message is counted with the next one
      if (error !== undefined && error !== null) return;
      if (!this.#unacknowledged.delete(entry)) return;
      this.counts.acknowledged++;
      this.#options.onAcknowledged?.(entry.message);
      this.#tell();
      this.#fill();
      this.#wake?.();
    });
  }

  #tell(): void {
    const now = monotonicMs();
    if (now - this.#toldMs < PROGRESS_MS) return;
    this.#toldMs = now;
    this.#options.onProgress?.(this.counts);
  }
}
