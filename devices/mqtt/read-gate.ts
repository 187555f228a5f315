import type { Duplex } from 'node:stream';
import type { Bound } from '../../gateway/core/memory.ts';
import type { AedesClient } from './aedes-internals.ts';

/** How much the gate lets the connections of one broker have on their way at a time. */
export interface ReadLimits {
  /** Largest packet, in bytes. */
  readonly maxPacketBytes: number;
  /** Bytes that were read from sockets and whose messages are not all acknowledged; beyond, no socket is read. */
  readonly maxInFlightBytes: number;
  /** Bytes of packets that have not come in whole, all connections together. */
  readonly maxPartialBytes: number;
}

/** Largest packet before the client is connected: a CONNECT with a long password or a will. */
const MAX_CONNECT_BYTES = 16 * 1024;
/** Bytes that wait to be sent to a client before nothing more is read from it. */
const MAX_UNSENT_BYTES = 256 * 1024;

/** The numbers shown in the status. */
export interface ReadCounts {
  readonly inFlightBytes: number;
  readonly waitingClients: number;
  readonly oversizedTotal: number;
}

/**
 * Decides when a socket is read. aedes reads a connection again once every packet of the last read is done, and a publish is done when
 * the journal has it; so what a connection has unacknowledged is one read, about 64 KiB. The gate bounds the sum over all of
 * them, which is back-pressure down to each sender's TCP window, and it costs nothing for a message: only for a read.
 *
 * It also closes connections whose packet is announced larger than allowed, before it has come in.
 */
export class ReadGate {
  readonly #limits: ReadLimits;
  readonly #waiting = new Set<Reader>();
  #inFlightBytes = 0;
  #partialBytes = 0;
  #oversizedTotal = 0;
  #waking = false;

  constructor(limits: ReadLimits) {
    this.#limits = limits;
  }

  counts(): ReadCounts {
    return {
      inFlightBytes: this.#inFlightBytes,
      waitingClients: this.#waiting.size,
      oversizedTotal: this.#oversizedTotal,
    };
  }

  /** What it lets be held in memory, and the most of it. */
  bounds(): readonly Bound[] {
    const { maxInFlightBytes, maxPartialBytes } = this.#limits;
    return [
      { name: 'read and not acknowledged', used: this.#inFlightBytes, max: maxInFlightBytes, unit: 'bytes' },
      { name: 'packets coming in', used: this.#partialBytes, max: maxPartialBytes, unit: 'bytes' },
    ];
  }

  /** Puts the gate before a connection; call it before aedes reads for the first time. */
  guard(stream: Duplex, client: AedesClient): void {
    const read = stream.read.bind(stream);
    const reader = new Reader(client, read);
    // aedes calls `read(null)`; given nothing it waits for `_nextBatch`. Node's own `read(0)` only starts the flow.
    stream.read = (size?: number | null) => (size === 0 ? read(0) : this.#read(stream, reader));
    stream.once('close', () => {
      this.#release(reader);
      this.#waiting.delete(reader);
      this.#wake();
    });
  }

  #read(stream: Duplex, reader: Reader): Buffer | null {
    this.#release(reader);
    const { client } = reader;
    const partial = client._parser._list.length;
    if (partial > 0 && this.#refusesPacket(reader, partial)) {
      this.#oversizedTotal++;
      stream.destroy();
      return null;
    }
    if (stream.writableLength > MAX_UNSENT_BYTES) {
      // It sends but does not read what we answer.
      if (!reader.draining) {
        reader.draining = true;
        stream.once('drain', () => {
          reader.draining = false;
          client._nextBatch();
        });
      }
      return null;
    }
    if (this.#inFlightBytes >= this.#limits.maxInFlightBytes) {
      this.#waiting.add(reader);
      return null;
    }
    const bytes: Buffer | null = reader.read();
    if (bytes !== null) reader.heldBytes = bytes.length;
    reader.partialBytes = partial;
    this.#inFlightBytes += reader.heldBytes;
    this.#partialBytes += partial;
    if (this.#waiting.size > 0) this.#wake();
    return bytes;
  }

  #refusesPacket(reader: Reader, partial: number): boolean {
    const { client } = reader;
    const max = client.connected || client.connecting ? this.#limits.maxPacketBytes : MAX_CONNECT_BYTES;
    if (client._parser.packet.length > max) return true;
    return partial > MAX_CONNECT_BYTES && this.#partialBytes + partial > this.#limits.maxPartialBytes;
  }

  #release(reader: Reader): void {
    this.#inFlightBytes -= reader.heldBytes;
    this.#partialBytes -= reader.partialBytes;
    reader.heldBytes = 0;
    reader.partialBytes = 0;
  }

  #wake(): void {
    if (this.#waking || this.#waiting.size === 0) return;
    this.#waking = true;
    setImmediate(() => {
      this.#waking = false;
      for (const reader of this.#waiting) {
        if (this.#inFlightBytes >= this.#limits.maxInFlightBytes) return;
        this.#waiting.delete(reader);
        if (!reader.client.closed) reader.client._nextBatch();
      }
    });
  }
}

/** One connection before the reader. */
class Reader {
  readonly client: AedesClient;
  readonly read: () => Buffer | null;
  /** Bytes of the last read. */
  heldBytes = 0;
  /** Bytes of an incomplete packet before the last read. */
  partialBytes = 0;
  draining = false;

  constructor(client: AedesClient, read: () => Buffer | null) {
    this.client = client;
    this.read = read;
  }
}
