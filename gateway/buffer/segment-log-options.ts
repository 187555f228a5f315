import type { Clock } from '../core/clock.ts';
import type { Disk } from '../core/disk.ts';
import type { RecordThinner } from '../core/record-thinner.ts';
import type { Logger } from '../core/telemetry.ts';
import type { Dropped } from './retention.ts';

/** When written records are made durable; decides what a power cut may cost. */
export type SyncPolicy = 'always' | 'never' | { readonly everyMs: number };

/** What happens when a record finds no room. */
export type WhenFull = 'block' | 'drop-oldest' | 'drop-newest' | 'thin';

/** What a segment log is told. A `GatewayError` of the constructor when `maxBytes` is too small, or `thin` has no thinner. */
export interface SegmentLogOptions {
  /** Folder of this log alone; made when it is not there. */
  readonly path: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  /**
   * `always`: a commit is synced to the disk. `everyMs`: a commit is handed to the operating system, which a crash of the gateway
   * survives unless the disk was failing too; a power cut costs at most about so many milliseconds. `never`: the same without the time; a power cut
   * costs what nobody has asked `sync` for and the operating system has not written, 8 MiB at the most. @default 'always'
   */
  readonly sync?: SyncPolicy;
  /** Most bytes that all segments together may take, at least 64 KiB. */
  readonly maxBytes: number;
  /** Segments with only older records are dropped. Looked at when something is written or trimmed. @default no bound */
  readonly maxAgeMs?: number | undefined;
  /** The log counts as full when the file system has fewer free bytes. @default 0 */
  readonly keepFreeBytes?: number | undefined;
  /** Size at which a segment is closed and the next one begun; never more than a quarter of `maxBytes`. @default 16 MiB */
  readonly segmentBytes?: number | undefined;
  /**
   * `block`: commits wait until `trim` makes room. `drop-oldest`: the oldest segment goes. `drop-newest`: what was appended goes. `thin`: of the
   * least thinned segment every second item goes by series, then every fourth …; where that does not help, the oldest segment goes.
   * Whatever is dropped is counted. @default 'block'
   */
  readonly whenFull?: WhenFull | undefined;
  /** Knows what is in a record: `thin` needs it, and what is dropped is counted by series with it. */
  readonly thinner?: RecordThinner | undefined;
  /** Most bytes that may wait in memory for the disk: an append beyond is refused with a `GatewayError`. @default 64 MiB */
  readonly maxPendingBytes?: number | undefined;
  /** Told of everything that is dropped. Must not throw. */
  readonly onDropped?: ((dropped: Dropped) => void) | undefined;
  /** Uniform in [0, 1), for the jitter of retries. @default that of `backoffMs` */
  readonly random?: (() => number) | undefined;
}
