import type { Duplex } from 'node:stream';
import type { Bound } from '../../gateway/core/memory.ts';
import type { AedesClient } from './aedes-internals.ts';

/** How much the gate lets the connections of one broker have on their way at a time. */
export interface ReadLimits {
  /** Largest packet, in bytes. */
  readonly maxPacketBytes: number;
  /** Bytes that were read from sockets and whose messages are not all acknowledged; beyond, no socket is read. */
  readonly maxInFlightBytes: number;
  /** Messages that are not acknowledged; beyond, no socket is read. Each takes about a kilobyte, however small it is. */
  readonly maxInFlightMessages: number;
  /** Bytes of packets that have not come in whole, all connections together. */
  readonly maxPartialBytes: number;
}

/** Largest packet before the client is connected: a CONNECT with a long password or a will. */
const MAX_CONNECT_BYTES = 16 * 1024;
/** A connection that holds less than this may be read further while its messages are not acknowledged. */
const READ_AHEAD_BYTES = 16 * 1024;
/** Beginnings of packets that are smaller never cost their connection; those of ten thousand connections fit into the bound. */
const SMALL_PARTIAL_BYTES = 1024;
/** Bytes that wait to be sent to a client before nothing more is read from it. */
const MAX_UNSENT_BYTES = 256 * 1024;

/** The numbers shown in the status. */
export interface ReadCounts {
  readonly inFlightBytes: number;
  readonly inFlightMessages: number;
  readonly waitingClients: number;
  readonly oversizedTotal: number;
  /** Connections that were closed because packets that do not come to their end took all room. */
  readonly unfinishedTotal: number;
}

/**
 * Decides when a socket is read. aedes reads a connection again once every packet of the last read is done, and a publish is done when
 * the journal has it; so what a connection has unacknowledged is one read, about 64 KiB, and the packet that it completed. The gate
 * bounds the sum over all of them, which is back-pressure down to each sender's TCP window.
 *
 * It also closes connections whose packet is announced larger than allowed, before it has come in; and where the beginnings of packets take
 * all room they may, those that have been at theirs for the longest, whoever asks for more: who sends a packet in one go is not among them.
 */
export class ReadGate {
  readonly #limits: ReadLimits;
  readonly #waiting = new Set<Reader>();
  #inFlightBytes = 0;
  #inFlightMessages = 0;
  /** The one that has read last: how many messages there were in it shows when it has taken them apart. */
  #last: Reader | undefined;
  #partialBytes = 0;
  /** Those that hold the beginning of a packet that is not small, in the order in which they began it. */
  readonly #unfinished = new Set<Reader>();
  #oversizedTotal = 0;
  #unfinishedTotal = 0;
  #waking = false;

  constructor(limits: ReadLimits) {
    this.#limits = limits;
  }

  counts(): ReadCounts {
    this.#countLast();
    return {
      inFlightBytes: this.#inFlightBytes,
      inFlightMessages: this.#inFlightMessages,
      waitingClients: this.#waiting.size,
      oversizedTotal: this.#oversizedTotal,
      unfinishedTotal: this.#unfinishedTotal,
    };
  }

  /** What it lets be held in memory, and the most of it. */
  bounds(): readonly Bound[] {
    this.#countLast();
    const { maxInFlightBytes, maxInFlightMessages, maxPartialBytes } = this.#limits;
    return [
      { name: 'read and not acknowledged', used: this.#inFlightBytes, max: maxInFlightBytes, unit: 'bytes' },
      { name: 'not acknowledged', used: this.#inFlightMessages, max: maxInFlightMessages, unit: 'messages' },
      { name: 'packets coming in', used: this.#partialBytes, max: maxPartialBytes, unit: 'bytes' },
    ];
  }

  /** Puts the gate before a connection; call it before aedes reads for the first time. */
  guard(stream: Duplex, client: AedesClient): void {
    const read = stream.read.bind(stream);
    const reader = new Reader(client, stream, read);
    // aedes calls `read(null)`; given nothing it waits for `_nextBatch`. Node's own `read(0)` only starts the flow.
    stream.read = (size?: number | null) => (size === 0 ? read(0) : this.#read(stream, reader));
    // aedes would take every arrival for a packet that is done, and read on however much is not.
    stream.removeListener('readable', client._nextBatch);
    client._parsingBatch = 0;
    stream.on('readable', () => {
      if (client._parsingBatch === 0) client._nextBatch();
      else this.#readAhead(stream, reader);
    });
    stream.once('close', () => {
      this.#hold(reader, 0, 0);
      this.#countMessages(reader, 0);
      this.#waiting.delete(reader);
      this.#wake();
    });
  }

  #read(stream: Duplex, reader: Reader): Buffer | null {
    const { client } = reader;
    const partial = client._parser._list.length;
    keepAlone(client._parser._list.getBuffers());
    this.#hold(reader, 0, partial);
    this.#countMessages(reader, 0);
    if (partial > 0 && isOversized(client, this.#limits)) {
      this.#oversizedTotal++;
      stream.destroy();
      return null;
    }
    this.#makeRoom();
    if (stream.destroyed) return null;
    if (stream.writableLength > MAX_UNSENT_BYTES) {
      // It sends but does not read what we answer.
      if (!reader.draining) {
        reader.draining = true;
        stream.once('drain', () => {
          reader.draining = false;
          readOn(client);
        });
      }
      return null;
    }
    if (this.#isFull()) {
      this.#waiting.add(reader);
      return null;
    }
    this.#waiting.delete(reader);
    const bytes: Buffer | null = reader.read();
    // With the rest of its packet it may make one whole, which is in memory until it is acknowledged.
    if (bytes !== null) {
      this.#hold(reader, bytes.length + partial, partial);
      this.#last = reader;
    }
    if (this.#waiting.size > 0) this.#wake();
    return bytes;
  }

  /** Reads a little more of a connection that waits for its acknowledgements: a PINGREQ is answered however slow the disk is. */
  #readAhead(stream: Duplex, reader: Reader): void {
    if (reader.heldBytes >= READ_AHEAD_BYTES || stream.writableLength > MAX_UNSENT_BYTES || this.#isFull()) return;
    const bytes = reader.read();
    if (bytes === null) return;
    const { client } = reader;
    this.#hold(reader, reader.heldBytes + bytes.length, client._parser._list.length);
    this.#last = reader;
    client._parser.parse(bytes);
  }

  /** Closes the connections that have been at their packets for the longest, until the beginnings of all packets have room again. */
  #makeRoom(): void {
    for (const oldest of this.#unfinished) {
      if (this.#partialBytes <= this.#limits.maxPartialBytes) return;
      this.#unfinishedTotal++;
      this.#hold(oldest, 0, 0);
      oldest.stream.destroy();
    }
  }

  #isFull(): boolean {
    this.#countLast();
    const { maxInFlightBytes, maxInFlightMessages } = this.#limits;
    return this.#inFlightBytes >= maxInFlightBytes || this.#inFlightMessages >= maxInFlightMessages;
  }

  #countLast(): void {
    const last = this.#last;
    if (last === undefined) return;
    this.#last = undefined;
    const { _parsingBatch: messages, _parser } = last.client;
    this.#countMessages(last, messages);
    // Nothing but the beginning of a packet: its sender may take its time, and must not take that of others.
    if (messages === 0) this.#hold(last, 0, _parser._list.length);
  }

  #countMessages(reader: Reader, messages: number): void {
    if (this.#last === reader) this.#last = undefined;
    this.#inFlightMessages += messages - reader.messages;
    reader.messages = messages;
  }

  /** What a connection holds from now on, in place of what it held. */
  #hold(reader: Reader, heldBytes: number, partialBytes: number): void {
    // It has less than before: that is the next packet.
    if (partialBytes < reader.partialBytes) this.#unfinished.delete(reader);
    if (partialBytes > SMALL_PARTIAL_BYTES) this.#unfinished.add(reader);
    this.#inFlightBytes += heldBytes - reader.heldBytes;
    this.#partialBytes += partialBytes - reader.partialBytes;
    reader.heldBytes = heldBytes;
    reader.partialBytes = partialBytes;
  }

  #wake(): void {
    if (this.#waking || this.#waiting.size === 0) return;
    this.#waking = true;
    setImmediate(() => {
      this.#waking = false;
      for (const reader of this.#waiting) {
        if (this.#isFull()) return;
        this.#waiting.delete(reader);
        if (!reader.client.closed) readOn(reader.client);
      }
    });
  }
}

/** Whether the packet that has begun is announced larger than it may be. */
function isOversized(client: AedesClient, { maxPacketBytes }: ReadLimits): boolean {
  return client._parser.packet.length > (client.connected || client.connecting ? maxPacketBytes : MAX_CONNECT_BYTES);
}

/** Copies the beginning of a packet where it is the small rest of a large read, all of which it would keep in memory. */
function keepAlone(buffers: Buffer[]): void {
  const [rest] = buffers;
  if (buffers.length !== 1 || rest!.length * 2 > rest!.buffer.byteLength) return;
  const copy = Buffer.allocUnsafeSlow(rest!.length);
  rest!.copy(copy);
  buffers[0] = copy;
}

/** Lets aedes read, unless it will by itself when the packets of the last read are done: it would count one of them as done. */
function readOn(client: AedesClient): void {
  if (client._parsingBatch === 0) client._nextBatch();
}

/** One connection before the reader. */
class Reader {
  readonly client: AedesClient;
  readonly stream: Duplex;
  readonly read: () => Buffer | null;
  /** Bytes of the last read, and of the packet that it went on with. */
  heldBytes = 0;
  /** Bytes of a packet that has not come in whole, as far as is known. */
  partialBytes = 0;
  /** Messages of the last read. */
  messages = 0;
  draining = false;

  constructor(client: AedesClient, stream: Duplex, read: () => Buffer | null) {
    this.client = client;
    this.stream = stream;
    this.read = read;
  }
}
