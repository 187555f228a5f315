import type { IPublishPacket, MqttClient } from 'mqtt';
import type { Clock } from '../../gateway/core/clock.ts';
import type { Intake } from '../../gateway/core/intake.ts';
import type { Router } from './reading-rules.ts';

/**
 * The part of mqtt 5.16 that is reached into: everything it sends, acknowledgements included, goes through this. The library handles
 * one message at a time and waits for its PUBACK to leave, which would be one journal commit a message; here the PUBACK is
 * held back instead, and the next message handled meanwhile.
 */
interface MqttInternals {
  _sendPacket(packet: Acknowledgement, done?: (error?: Error) => void, ...rest: unknown[]): void;
}

interface Acknowledgement {
  readonly cmd: string;
  readonly messageId?: number;
}

/** Messages that may wait for the journal before no more are read from the broker. */
export const MAX_UNACKNOWLEDGED = 10_000;
/** QoS 2 messages that are taken and not released; the broker's own bound is lower. */
const MAX_TAKEN = 65_535;

/** What lies between the gateway and a session at another broker: messages taken, acknowledgements owed. */
export class RemoteSession {
  readonly #router: Router;
  readonly #intake: Intake;
  readonly #clock: Clock;
  /** Ids of QoS 2 messages that were taken, until their PUBREL: the same id means the same message, over a lost connection too. */
  readonly #taken = new Set<number>();
  #unacknowledged = 0;
  #messagesTotal = 0;
  /** Lets the library go on reading, when it was stopped. */
  #goOn: (() => void) | undefined;

  constructor(router: Router, intake: Intake, clock: Clock) {
    this.#router = router;
    this.#intake = intake;
    this.#clock = clock;
  }

  get unacknowledged(): number {
    return this.#unacknowledged;
  }

  get messagesTotal(): number {
    return this.#messagesTotal;
  }

  /** The broker has no session any more: its message ids begin anew. */
  forget(): void {
    this.#taken.clear();
  }

  /** Takes the messages of a new connection; call it before the connection comes about. */
  adopt(client: MqttClient): void {
    const internals = client as unknown as MqttInternals;
    const send = internals._sendPacket.bind(client);
    client.handleMessage = (packet, next) => this.#handle(packet, next);
    // QoS 2 comes in here at PUBLISH; the library's own hand-over at PUBREL would be after the broker forgot the message.
    client.options.customHandleAcks = (_topic, _payload, packet, next) => {
      const taken = packet.qos === 2 && this.#take(packet.messageId);
      if (taken) this.#process(packet);
      next(0, 0);
    };
    internals._sendPacket = (packet, done, ...rest) => {
      if (packet.cmd !== 'puback' && packet.cmd !== 'pubrec') {
        if (packet.cmd === 'pubcomp') this.#taken.delete(packet.messageId ?? 0);
        return send(packet, done, ...rest);
      }
      this.#acknowledge(() => {
        if (client.connected) send(packet);
      }, done);
    };
  }

  #handle(packet: IPublishPacket, next: () => void): void {
    if (packet.qos !== 2) this.#process(packet);
    // QoS 1 goes on to its PUBACK, where it is counted.
    if (packet.qos === 0) this.#acknowledge(undefined, next);
    else next();
  }

  #take(messageId: number | undefined): boolean {
    if (messageId === undefined || this.#taken.has(messageId)) return false;
    if (this.#taken.size < MAX_TAKEN) this.#taken.add(messageId);
    return true;
  }

  #process(packet: IPublishPacket): void {
    this.#messagesTotal++;
    const payload = packet.payload as Uint8Array;
    if (!this.#router.handle(packet.topic, payload, this.#clock.now())) {
      this.#intake.reject(packet.topic, 'the topic is not a legal topic name of MQTT', payload);
    }
  }

  #acknowledge(durable: (() => void) | undefined, next: (() => void) | undefined): void {
    this.#unacknowledged++;
    this.#intake.acknowledge(() => {
      this.#unacknowledged--;
      durable?.();
      const goOn = this.#goOn;
      this.#goOn = undefined;
      goOn?.();
    });
    if (this.#unacknowledged < MAX_UNACKNOWLEDGED) next?.();
    else this.#goOn = next;
  }
}
