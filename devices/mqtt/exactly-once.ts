import { crc32 } from 'node:zlib';
import type { Client, PublishPacket } from 'aedes';
import { MarkTable } from '../../gateway/base/mark-table.ts';
import type { Intake } from '../../gateway/core/intake.ts';
import type { Bound } from '../../gateway/core/memory.ts';
import type { AedesStore, Thenable } from './aedes-internals.ts';
import { Settled } from './settled.ts';

const LIMITS = { maxMarks: 100_000, maxMarksPerPeer: 2_000 };

/**
 * The receiver's side of QoS 2: a message is admitted once until its PUBREL, however often it is sent again [MQTT-4.3.3-2]. For clients with
 * a lasting session that holds across restarts of the gateway. The intake keeps a mark of client and id, durable together with the readings
 * of the message; it goes, durably too, before PUBCOMP leaves, as from then on the id is that of another message.
 *
 * The mark holds a checksum of the message: another message under an id whose PUBREL never came is not what was admitted. A device that has
 * forgotten its session does that, and to count twice is better than to lose. The DUP flag decides nothing: clients forget it.
 *
 * To subscribers a message is forwarded once in the life of the process.
 */
export class ExactlyOnce {
  readonly #intake: Intake;
  /** Marks of clients whose session ends with the connection. */
  readonly #passing = new MarkTable(LIMITS);
  /** What aedes has stored, by client and id: that is, has forwarded. Of the message itself nothing is kept. */
  readonly #forwarded = new MarkTable(LIMITS);

  constructor(intake: Intake) {
    this.#intake = intake;
  }

  /** True when a QoS 2 message of a client has not been admitted before; what is given to the intake next, up to `acknowledge`, is its own. */
  isFirst(client: Client, packet: PublishPacket): boolean {
    const id = packet.messageId!;
    const checksum = crc32(packet.payload, crc32(packet.topic));
    const marks = this.#marksOf(client);
    if (marks.get(client.id, id) === checksum) return false;
    marks.set(client.id, id, checksum);
    this.#forwarded.delete(client.id, id);
    return true;
  }

  /** A message that `isFirst` was asked about was not admitted after all. */
  forget(client: Client, packet: PublishPacket): void {
    this.#marksOf(client).delete(client.id, packet.messageId!);
  }

  /** What it remembers in memory, and the most of it. */
  bounds(): readonly Bound[] {
    const unit = 'messages';
    return [
      { name: 'QoS 2 without a session', used: this.#passing.count, max: this.#passing.max, unit },
      { name: 'QoS 2 forwarded', used: this.#forwarded.count, max: this.#forwarded.max, unit },
    ];
  }

  /** Takes the place of aedes' own store of incoming messages, which keeps each of them whole. */
  apply(store: AedesStore): void {
    const forwarded = this.#forwarded;
    store.incomingGetPacket = (client, packet) => {
      if (packet.cmd === 'pubrel') return this.#release(client as Client, packet.messageId!);
      return forwarded.get(client.id, packet.messageId!) === undefined ? ABSENT : PRESENT;
    };
    store.incomingStorePacket = (client, packet) => {
      forwarded.set(client.id, packet.messageId!, 0);
      return DONE;
    };
    store.incomingDelPacket = () => DONE;
    store.cleanIncoming = (client) => {
      this.#passing.clear(client.id);
      forwarded.clear(client.id);
      // aedes asks once more when a passing session ends; by then another connection may have begun a lasting one.
      if ((client as Client).closed || !this.#intake.marks.clear(client.id)) return DONE;
      return this.#durable(undefined);
    };
  }

  #release(client: Client, id: number): Thenable<unknown> {
    this.#forwarded.delete(client.id, id);
    this.#marksOf(client).delete(client.id, id);
    // One that is sent again must not be answered before the first one is durable.
    return client.clean ? PRESENT : this.#durable(true);
  }

  #marksOf(client: Client) {
    return client.clean ? this.#passing : this.#intake.marks;
  }

  #durable<T>(value: T): Promise<T> {
    return new Promise((resolve) => this.#intake.acknowledge(() => resolve(value)));
  }
}

/** Nothing was found: calls the second function, as a rejected promise does, without an error to make. */
class Absent implements Thenable<unknown> {
  // biome-ignore lint/suspicious/noThenProperty: aedes calls `then` on what its store returns
  then<A, B = never>(_found?: unknown, absent?: ((reason: unknown) => B | PromiseLike<B>) | null): PromiseLike<A | B> {
    absent?.(undefined);
    return this as PromiseLike<A | B>;
  }
}

const ABSENT = new Absent();
const PRESENT = new Settled<unknown>(true);
const DONE = new Settled<void>(undefined);
