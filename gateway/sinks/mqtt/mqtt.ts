import { finishedWithin, withTimeLimit } from '../../base/time-limit.ts';
import type { Clock } from '../../core/clock.ts';
import { GatewayError } from '../../core/errors.ts';
import type { AlarmEvent, Result } from '../../core/result.ts';
import { type Rejection, type Sink, SinkError } from '../../core/sink.ts';
import type { Logger } from '../../core/telemetry.ts';
import { type AlarmChoice, alarmChoice } from '../alarm-choice.ts';
import { messageId, resultMessage, type Sender } from '../result-message.ts';
import { RunningWrites } from '../running-writes.ts';
import {
  type BrokerAccess,
  BrokerConnection,
  type OutgoingMessage,
  type ProtocolVersion,
  type Refusal,
} from './broker-connection.ts';
import { ConnectionLost } from './connection-lost.ts';
import { isTemporary, NOT_AUTHORIZED } from './reason-codes.ts';
import { StandingAlarms } from './standing-alarms.ts';
import { NoTopic, topicOf } from './topics.ts';

/** Where results are published and how; the words of sample.yaml. */
export interface MqttSinkOptions {
  readonly name: string;
  /** `mqtt:`, `mqtts:`, `ws:` or `wss:`; no user or password in it. */
  readonly url: string;
  readonly clientId: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly tls?: BrokerAccess['tls'] | undefined;
  /** With 0 nobody says whether a message came: one may be lost with its connection. @default 1 */
  readonly qos?: 0 | 1 | undefined;
  /** First levels of every topic, before the name of the gateway. */
  readonly prefix: string;
  readonly gateway: Sender;
  /** Whether results of windows are published too. */
  readonly aggregates: boolean;
  readonly alarms: AlarmChoice;
  /** Longest wait for a connection, and for the acknowledgements of what was sent at once. @default 10000 */
  readonly timeoutMs?: number | undefined;
}

/** What the sink is given by the gateway. */
export interface MqttSinkParts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The last steps of the alarms that were active when the sink was started, the oldest first. */
  readonly activeAlarms: () => readonly AlarmEvent[];
}

/** Messages that are given up together when there is no answer in time. */
const TOGETHER = 200;
/** What MQTT puts around topic, id and payload, in bytes, generously. */
const PACKET_OVERHEAD_BYTES = 64;
const GOOD_BYE_MS = 1_000;

interface Message extends OutgoingMessage {
  readonly result: Result;
  /** It is published once more, so that it is what the broker keeps. */
  readonly isRepeat: boolean;
}

/**
 * Publishes results on an MQTT broker. See README.md beside this file for topics, messages, and what happens to what is refused.
 *
 * A message that is published twice has the same id.
 */
export class MqttSink implements Sink {
  readonly name: string;
  readonly type = 'mqtt';
  readonly #options: MqttSinkOptions;
  readonly #parts: MqttSinkParts;
  readonly #access: BrokerAccess;
  readonly #prefix: string;
  readonly #qos: 0 | 1;
  readonly #timeoutMs: number;
  readonly #isChosen: (event: AlarmEvent) => boolean;
  readonly #writes = new RunningWrites('MQTT');
  #standing: StandingAlarms | undefined;
  #connection: BrokerConnection | undefined;
  #version: ProtocolVersion = 5;
  /** Messages that are sent together: one at a time while the broker cuts the connection for one that is not yet known. */
  #together = TOGETHER;
  /** The broker has taken something over this connection: who is not authorized now is so for this topic only. */
  #hasAccepted = false;

  /** @throws {GatewayError} where an option cannot work */
  constructor(options: MqttSinkOptions, parts: MqttSinkParts) {
    this.name = options.name;
    this.#options = options;
    this.#parts = parts;
    const { clientId, user, password, tls = {}, prefix, gateway } = options;
    this.#access = { url: brokerUrl(options), clientId, user, password, tls };
    this.#prefix = `${prefix}/${gateway.name}`;
    this.#qos = options.qos ?? 1;
    this.#timeoutMs = options.timeoutMs ?? 10_000;
    this.#isChosen = alarmChoice(options.alarms);
  }

  async start(_signal: AbortSignal): Promise<void> {
    this.#writes.start();
  }

  async stop(signal: AbortSignal): Promise<void> {
    await this.#writes.stop();
    const connection = this.#connection;
    this.#connection = undefined;
    this.#standing = undefined;
    if (connection === undefined) return;
    await finishedWithin({ ms: GOOD_BYE_MS, clock: this.#parts.clock, signal }, () => connection.end());
    connection.cut();
  }

  stores(result: Result): boolean {
    return result.kind === 'aggregate' ? this.#options.aggregates : this.#isChosen(result);
  }

  async write(batch: readonly Result[], signal: AbortSignal): Promise<readonly Rejection[]> {
    return this.#writes.run(signal, (running) => this.#write(batch, running));
  }

  async #write(batch: readonly Result[], signal: AbortSignal): Promise<readonly Rejection[]> {
    const rejections: Rejection[] = [];
    const messages = batch.flatMap((result) => this.#messagesOf(result, rejections));
    for (let from = 0; from < messages.length; ) {
      const connection = await this.#connected(signal);
      const some = messages.slice(from, from + this.#together);
      rejections.push(...(await this.#publish(some, connection, signal)));
      from += some.length;
    }
    this.#together = TOGETHER;
    return rejections;
  }

  #messagesOf(result: Result, rejections: Rejection[]): readonly Message[] {
    const topic = topicOf(result, this.#prefix);
    if (topic instanceof NoTopic) {
      rejections.push({ result, reason: topic.reason });
      return [];
    }
    const message = (published: Result, retain: boolean): Message => ({
      result,
      isRepeat: published !== result,
      topic,
      retain,
      id: messageId(published, this.#options.gateway),
      payload: Buffer.from(JSON.stringify(resultMessage(published, this.#options.gateway))),
    });
    if (result.kind === 'aggregate') return [message(result, false)];
    return this.#standingAlarms()
      .publishes(topic, result)
      .map(({ event, retain }) => message(event, retain));
  }

  /** Known from the first alarm on: at a start, those who know what was active are starting too. */
  #standingAlarms(): StandingAlarms {
    if (this.#standing !== undefined) return this.#standing;
    const standing = new StandingAlarms();
    for (const event of this.#parts.activeAlarms()) {
      const topic = topicOf(event, this.#prefix);
      if (!(topic instanceof NoTopic) && this.#isChosen(event)) standing.add(topic, event);
    }
    this.#standing = standing;
    return standing;
  }

  async #connected(signal: AbortSignal): Promise<BrokerConnection> {
    if (this.#connection?.isOpen === true) return this.#connection;
    const connection = await this.#open(this.#version, signal).catch((error: unknown) => {
      // A broker that does not know MQTT 5 says so, or just hangs up.
      const mayKnowAnother = error instanceof ConnectionLost && error.aboutProtocol !== undefined;
      if (!mayKnowAnother || this.#version === 4) throw error;
      if (error.aboutProtocol === 'said') this.#version = 4;
      return this.#open(4, signal);
    });
    this.#connection = connection;
    this.#hasAccepted = false;
    this.#tellConnected(connection);
    return connection;
  }

  #open(version: ProtocolVersion, signal: AbortSignal): Promise<BrokerConnection> {
    const { clock, logger } = this.#parts;
    return withTimeLimit({ ms: this.#timeoutMs, clock, signal }, (limited) =>
      BrokerConnection.open(this.#access, version, { signal: limited, logger }),
    );
  }

  #tellConnected({ version, can }: BrokerConnection): void {
    const { logger } = this.#parts;
    const broker = `${this.#access.url.protocol}//${this.#access.url.host}`;
    logger.info({ broker, mqtt: version === 5 ? '5' : '3.1.1' }, 'connected to the MQTT broker');
    if (!can.retain) logger.warn({ broker }, 'the broker keeps no retained messages: alarms reach only who listens');
  }

  async #publish(
    messages: readonly Message[],
    connection: BrokerConnection,
    signal: AbortSignal,
  ): Promise<readonly Rejection[]> {
    if (this.#qos > 0 && !connection.can.acknowledge) {
      const message = 'The MQTT broker acknowledges nothing: it takes QoS 0 only. Write qos: 0, or use another one';
      throw new SinkError(message, { kind: 'configuration' });
    }
    const fitting = messages.filter((message) => sizeBytes(message) <= connection.maxPacketBytes);
    let refusals: readonly (Refusal | undefined)[];
    try {
      const limits = { ms: this.#timeoutMs, clock: this.#parts.clock, signal };
      refusals = await withTimeLimit(limits, (limited) => connection.publishAll(fitting, this.#qos, limited));
    } catch (error) {
      // What it still acknowledges must not be taken for what comes next.
      connection.cut();
      if (!(error instanceof ConnectionLost) || !error.isAboutMessage) throw error;
      if (messages.length === 1) return [{ result: messages[0]!.result, reason: error.message }];
      this.#together = 1;
      throw error;
    }
    this.#hasAccepted ||= refusals.includes(undefined);
    return [...tooLarge(messages, connection.maxPacketBytes), ...this.#refused(fitting, refusals)];
  }

  /** What is set aside of what the broker refused. @throws {SinkError} where that is not the messages' fault */
  #refused(messages: readonly Message[], refusals: readonly (Refusal | undefined)[]): readonly Rejection[] {
    const rejections: Rejection[] = [];
    for (const [index, refusal] of refusals.entries()) {
      if (refusal === undefined) continue;
      const { result, topic, isRepeat } = messages[index]!;
      const reason = `the broker refused to publish on ${topic}: ${refusal.reason}`;
      if (isTemporary(refusal.code)) throw new SinkError(`MQTT: ${reason}`, { kind: 'transient' });
      if (refusal.code === NOT_AUTHORIZED && !this.#hasAccepted) {
        throw new SinkError(`MQTT: ${reason}. Give the user there the right to publish below ${this.#prefix}/`, {
          kind: 'configuration',
        });
      }
      if (!isRepeat) rejections.push({ result, reason });
    }
    return rejections;
  }
}

function tooLarge(messages: readonly Message[], maxBytes: number): readonly Rejection[] {
  return messages
    .filter((message) => sizeBytes(message) > maxBytes && !message.isRepeat)
    .map((message) => ({
      result: message.result,
      reason: `its message has ${sizeBytes(message)} bytes; the broker takes ${maxBytes} at the most`,
    }));
}

function sizeBytes({ topic, id, payload }: OutgoingMessage): number {
  return Buffer.byteLength(topic) + Buffer.byteLength(id) + payload.length + PACKET_OVERHEAD_BYTES;
}

function brokerUrl({ name, url }: MqttSinkOptions): URL {
  const parsed = URL.parse(url);
  if (parsed === null || !/^(mqtts?|wss?):$/.test(parsed.protocol) || parsed.hostname === '') {
    throw new GatewayError(`Cannot make sink ${name}: its url is not the address of an MQTT broker`, {
      hint: 'as in mqtt://broker.local:1883; mqtts:, ws: and wss: are also allowed',
    });
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw new GatewayError(`Cannot make sink ${name}: its url has a user or a password in it`, {
      hint: 'give them as `user` and `password`, so that they stay out of logs',
    });
  }
  return parsed;
}
