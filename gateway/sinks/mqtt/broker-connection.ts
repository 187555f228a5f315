import type { IClientOptions, IConnackPacket, MqttClient } from 'mqtt';
import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/telemetry.ts';
import { type ConnectionLost, cannotConnect, closedUnheard, ended, notInTime } from './connection-lost.ts';
import { wordsOf } from './reason-codes.ts';

/** MQTT 5 as a number of the protocol, or 3.1.1. */
export type ProtocolVersion = 5 | 4;

/** A broker, and as whom to connect to it. Nothing but the address without its path may be logged. */
export interface BrokerAccess {
  readonly url: URL;
  readonly clientId: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Authorities in place of the system's, and the gateway's own certificate with its key; PEM. */
  readonly tls: {
    readonly ca?: string | undefined;
    readonly cert?: string | undefined;
    readonly key?: string | undefined;
  };
}

/** A message on its way to a broker. */
export interface OutgoingMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly retain: boolean;
  /** Goes along as a user property, where the protocol has them. */
  readonly id: string;
}

/** A broker has refused a message; the connection goes on. */
export interface Refusal {
  /** Reason code of MQTT 5, from 0x80. */
  readonly code: number;
  /** What it means, for a person. */
  readonly reason: string;
}

/**
 * One connection to a broker, until its end; then there is another one. The library keeps nothing for later: what is not acknowledged stays
 * where it came from.
 */
export class BrokerConnection {
  readonly #client: MqttClient;
  readonly #broker: string;
  readonly version: ProtocolVersion;
  /** What the broker allows; empty before MQTT 5. */
  readonly #limits: NonNullable<IConnackPacket['properties']>;
  readonly #waiting = new Set<(error: ConnectionLost) => void>();
  #problem: unknown;
  #disconnectCode: number | undefined;
  #isOpen = true;

  private constructor(client: MqttClient, broker: string, version: ProtocolVersion, { properties }: IConnackPacket) {
    this.#client = client;
    this.#broker = broker;
    this.version = version;
    this.#limits = properties ?? {};
    client.on('error', (error) => {
      this.#problem = error;
    });
    client.on('disconnect', ({ reasonCode }) => {
      this.#disconnectCode = reasonCode;
    });
    client.once('close', () => this.#lost());
  }

  /** Connects. Rejects with a `ConnectionLost`, also when `signal` aborts. */
  static async open(
    access: BrokerAccess,
    version: ProtocolVersion,
    { signal, logger }: { readonly signal: AbortSignal; readonly logger: Logger },
  ): Promise<BrokerConnection> {
    // Loaded only now: a gateway without such a sink never needs it.
    const { connect } = await import('mqtt');
    const broker = `${access.url.protocol}//${access.url.host}`;
    if (signal.aborted) throw notInTime(broker, signal);
    const client = connect(access.url.href, connectOptions(access, version));
    client.on('error', (error) => logger.debug({ reason: messageOf(error) }, 'error of the connection to the broker'));
    return new Promise((resolve, reject) => {
      const settle = (then: () => void) => {
        client.off('error', refused).off('close', closed).off('connect', connected);
        signal.removeEventListener('abort', aborted);
        then();
      };
      const fail = (error: ConnectionLost) =>
        settle(() => {
          client.end(true);
          reject(error);
        });
      const refused = (error: Error) => fail(cannotConnect(broker, error));
      const closed = () => fail(closedUnheard(broker));
      const aborted = () => fail(notInTime(broker, signal));
      const connected = (connack: IConnackPacket) =>
        settle(() => resolve(new BrokerConnection(client, broker, version, connack)));
      client.once('error', refused).once('close', closed).once('connect', connected);
      signal.addEventListener('abort', aborted, { once: true });
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Largest packet that the broker takes, in bytes. */
  get maxPacketBytes(): number {
    return this.#limits.maximumPacketSize ?? Number.POSITIVE_INFINITY;
  }

  /** Whether the broker acknowledges messages and keeps retained ones: those without MQTT 5 do not say otherwise. */
  get can(): { readonly acknowledge: boolean; readonly retain: boolean } {
    return { acknowledge: this.#limits.maximumQoS !== 0, retain: this.#limits.retainAvailable !== false };
  }

  /**
   * Publishes messages, in order. Resolves, when all are acknowledged (with QoS 0: when all were sent), with what was refused of each. Rejects with a
   * `ConnectionLost` when the connection ends before, and when `signal` aborts.
   */
  publishAll(
    messages: readonly OutgoingMessage[],
    qos: 0 | 1,
    signal: AbortSignal,
  ): Promise<readonly (Refusal | undefined)[]> {
    const refusals = new Array<Refusal | undefined>(messages.length);
    let [sent, acknowledged] = [0, 0];
    return new Promise((resolve, reject) => {
      const settle = (then: () => void) => {
        sent = messages.length;
        this.#waiting.delete(fail);
        signal.removeEventListener('abort', aborted);
        then();
      };
      const fail = (error: ConnectionLost) => settle(() => reject(error));
      const aborted = () => fail(notInTime(this.#broker, signal));
      const sendNext = () => {
        const index = sent++;
        this.#publish(messages[index]!, qos, (refusal) => {
          refusals[index] = refusal;
          if (++acknowledged === messages.length) settle(() => resolve(refusals));
          else if (sent < messages.length) sendNext();
        });
      };
      this.#waiting.add(fail);
      signal.addEventListener('abort', aborted, { once: true });
      if (signal.aborted) aborted();
      else if (!this.#isOpen) fail(this.#why());
      else if (messages.length === 0) settle(() => resolve(refusals));
      // As many as the broker lets be under way, then one for each acknowledgement: to wait for all of them between would take 40 ms each
      // time, as TCP holds back what is small until what went before is acknowledged.
      while (sent < Math.min(messages.length, this.#limits.receiveMaximum ?? messages.length)) sendNext();
    });
  }

  /** Says good-bye, and resolves when the connection is closed. */
  async end(): Promise<void> {
    if (!this.#isOpen) return;
    await this.#client.endAsync(false);
  }

  /** Cuts the connection. */
  cut(): void {
    this.#client.end(true);
    this.#lost();
  }

  /** Tells the broker's answer. What else goes wrong ends the connection, which is told there. */
  #publish(message: OutgoingMessage, qos: 0 | 1, answered: (refusal: Refusal | undefined) => void): void {
    this.#client.publish(message.topic, message.payload, this.#publishOptions(message, qos), (error, packet) => {
      const refusal = error == null ? undefined : refusalOf(error, packet);
      if (error == null || refusal !== undefined) answered(refusal);
    });
  }

  #publishOptions({ retain, id }: OutgoingMessage, qos: 0 | 1) {
    const common = { qos, retain: retain && this.can.retain };
    if (this.version === 4) return common;
    return {
      ...common,
      properties: {
        contentType: 'application/json',
        payloadFormatIndicator: true,
        userProperties: { 'headgate-id': id },
      },
    };
  }

  #lost(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const error = this.#why();
    for (const fail of [...this.#waiting]) fail(error);
  }

  #why(): ConnectionLost {
    return ended(this.#broker, this.#disconnectCode, this.#problem);
  }
}

/** Undefined where an error is not the broker's answer. */
function refusalOf(error: Error & { readonly code?: unknown }, packet: unknown): Refusal | undefined {
  const { code } = error;
  if (typeof code !== 'number') return undefined;
  const { reasonString } = (packet as { properties?: { reasonString?: string } } | undefined)?.properties ?? {};
  return { code, reason: wordsOf(code, reasonString) };
}

function connectOptions({ clientId, user, password, tls }: BrokerAccess, version: ProtocolVersion): IClientOptions {
  return {
    clientId,
    protocolVersion: version,
    clean: true,
    keepalive: 30,
    // Each connection is a client of its own, and who waits is our caller.
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    ...(user === undefined ? {} : { username: user }),
    ...(password === undefined ? {} : { password }),
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
  };
}
