import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { crc32 } from 'node:zlib';
import { readWholeFile, writeFileAtomically } from '../base/atomic-file.ts';
import type { MarkSnapshot } from '../base/mark-table.ts';
import { patientDisk } from '../base/patient-disk.ts';
import type { Clock, EpochMs } from '../core/clock.ts';
import { type Disk, errorCode } from '../core/disk.ts';
import { messageOf } from '../core/errors.ts';
import type { Offset } from '../core/log.ts';
import type { SeriesIdentity } from '../core/reading.ts';
import type { Logger } from '../core/telemetry.ts';
import type { ClockReference } from './command.ts';
import type { LedgerSnapshot } from './ledger.ts';
import type { ProvisionalSnapshot } from './provisional-readings.ts';
import type { RememberedStart } from './remembered-range.ts';

/** Everything needed to go on from an offset of the journal. */
export interface Checkpoint {
  readonly takenAt: EpochMs;
  /** The first journal record that is not in the snapshots. */
  readonly journalOffset: Offset;
  /** Readings in the journal before that record, since it was created; a checkpoint of an older release does not say. */
  readonly journalItems?: number;
  /** From here on the journal is read again to remember which readings were already seen. */
  readonly remember: RememberedStart;
  /** The first dead letter that is not in the ledger. */
  readonly deadLetterOffset: Offset;
  /** Readings that sources had refused before it; a checkpoint of an older release does not say. */
  readonly deadLetterItems?: number;
  /** The latest receive time the stages have been advanced to. */
  readonly receiveTime: EpochMs;
  /** The wall time that belongs to it, in checkpoints of an earlier release that let the two differ. */
  readonly wallTime?: EpochMs;
  /** A moment at which the time was known, by which a later process of the same boot sees that the clock was set; undefined when it was not. */
  readonly reference?: ClockReference | undefined;
  /** By how much the clock has been set back; 0 where a checkpoint does not say. */
  readonly setBackMs?: number;
  /** What waits until it is known what time it is; nothing in checkpoints of an earlier release. */
  readonly provisional?: ProvisionalSnapshot;
  readonly series: readonly (SeriesIdentity & { readonly unit: string | undefined })[];
  /** Counts by source. */
  readonly ledger: LedgerSnapshot['sources'];
  /** Counts by series group; a checkpoint of an older release has none. */
  readonly ledgerGroups?: LedgerSnapshot['groups'];
  /** Counts of derived readings; a checkpoint of an older release has none. */
  readonly ledgerDerived?: LedgerSnapshot['derived'];
  /** What the sources have noted about their peers; nothing in a checkpoint of an older release. */
  readonly marks?: MarkSnapshot;
  /** Snapshot of each stage by its name. */
  readonly stages: Readonly<Record<string, unknown>>;
}

/** File: magic, version (u32), CRC-32 of the body (u32), body (`v8.serialize`); little endian. */
const MAGIC = Buffer.from('HGCP');
const VERSION = 1;
const HEADER_BYTES = 12;

/**
 * How the body of each version becomes a checkpoint of this one. So far there is one version; of later ones the two before can be read, too. A
 * field that is added and may be missing needs no new version. Anything else does: raise `VERSION`, give the version before a function that
 * brings its bodies up to date, and keep bytes of it in the test. The snapshots of the stages have versions of their own.
 */
const BODIES: ReadonlyMap<number, (body: unknown) => Checkpoint> = new Map([[1, asCheckpoint]]);

/** Keeps the last two checkpoints, so that a bad one falls back to the one before. */
export class CheckpointStore {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #logger: Logger;
  readonly #clock: Clock;
  #next = 0;
  /** Size of the newest checkpoint in bytes. */
  bytes = 0;

  /** @param folder where they lie; it must be there when the first is written */
  constructor(disk: Disk, folder: string, logger: Logger, clock: Clock) {
    this.#disk = disk;
    this.#folder = folder;
    this.#logger = logger;
    this.#clock = clock;
  }

  /** Writes a checkpoint over the older of the two, durably. */
  async write(checkpoint: Checkpoint): Promise<void> {
    const body = serialize(checkpoint);
    const header = Buffer.alloc(HEADER_BYTES);
    MAGIC.copy(header, 0);
    header.writeUInt32LE(VERSION, 4);
    header.writeUInt32LE(crc32(body), 8);
    await writeFileAtomically(this.#disk, this.#path(this.#next), Buffer.concat([header, body]));
    this.bytes = header.length + body.length;
    this.#next = 1 - this.#next;
  }

  /**
   * Readable checkpoints, the newest first. What cannot be read, though the disk is asked again for three seconds, is said in the log and passed
   * over: that costs what is in no journal any more.
   */
  async read(): Promise<readonly Checkpoint[]> {
    const disk = patientDisk(this.#disk, this.#clock);
    const found = [await this.#readSlot(disk, 0), await this.#readSlot(disk, 1)];
    const newest = isOlder(found[0], found[1]) ? 1 : 0;
    this.#next = found[newest] === undefined ? 0 : 1 - newest;
    return [found[newest], found[1 - newest]].filter((checkpoint) => checkpoint !== undefined);
  }

  async #readSlot(disk: Disk, slot: number): Promise<Checkpoint | undefined> {
    const path = this.#path(slot);
    try {
      return decode(await readWholeFile(disk, path));
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') {
        this.#logger.warn({ path, reason: messageOf(error) }, 'checkpoint passed over: it cannot be read');
      }
      return undefined;
    }
  }

  #path(slot: number): string {
    return join(this.#folder, `checkpoint-${slot}`);
  }
}

/** Offsets tell the order, as the wall clock may go back; when only refusals came in between, those of the dead letters do. */
function isOlder(one: Checkpoint | undefined, other: Checkpoint | undefined): boolean {
  if (one === undefined || other === undefined) return one === undefined && other !== undefined;
  return one.journalOffset === other.journalOffset
    ? one.deadLetterOffset < other.deadLetterOffset
    : one.journalOffset < other.journalOffset;
}

function decode(bytes: Buffer): Checkpoint {
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, 4).equals(MAGIC)) throw new Error('it is not a checkpoint');
  const version = bytes.readUInt32LE(4);
  const read = BODIES.get(version);
  if (read === undefined) {
    throw new Error(`its version is ${version}; this release reads ${[...BODIES.keys()].join(', ')}`);
  }
  const body = bytes.subarray(HEADER_BYTES);
  if (crc32(body) !== bytes.readUInt32LE(8)) throw new Error('its checksum does not fit');
  return read(deserialize(body));
}

/** So much that whoever restores from it finds the parts it goes through. */
function asCheckpoint(body: unknown): Checkpoint {
  if (isObject(body)) {
    const { journalOffset, deadLetterOffset, remember, series, ledger, stages } = body;
    const isWhole =
      Number.isSafeInteger(journalOffset) &&
      Number.isSafeInteger(deadLetterOffset) &&
      Array.isArray(series) &&
      [remember, ledger, stages].every(isObject);
    if (isWhole) return body as unknown as Checkpoint;
  }
  throw new Error('a part of it is missing');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
