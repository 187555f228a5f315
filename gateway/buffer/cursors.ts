import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { type Disk, isNoSpace } from '../core/disk.ts';
import { GatewayError, messageOf } from '../core/errors.ts';
import type { LogCursor, Offset } from '../core/log.ts';
import type { Logger } from '../core/telemetry.ts';
import { asCount, CheckedFile } from './checked-file.ts';
import { listIfThere } from './quarantine.ts';
import type { Troubles } from './troubles.ts';

/** How the names of cursor files end. */
export const CURSOR_SUFFIX = '.cursor';

/** Room for the note of its owner, too. */
const SLOT_BYTES = 4096;

/** A cursor that moves all the time is written once in so many milliseconds. */
const WRITE_EVERY_MS = 200;

/** What cursors are kept with. */
export interface CursorParts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly troubles: Troubles;
}

/** The cursors of a log, each in the file `cursors/<name>.cursor`. */
export class Cursors {
  readonly #parts: CursorParts;
  readonly #path: string;
  readonly #logger: Logger;
  readonly #cursors = new Map<string, FileCursor>();

  /** @param path folder of the log */
  constructor(path: string, logger: Logger, parts: CursorParts) {
    this.#parts = parts;
    this.#path = join(path, 'cursors');
    this.#logger = logger;
  }

  /** Reads all cursors there are. A damaged one is forgotten, so that it begins at the first record. */
  async load(): Promise<void> {
    const { disk } = this.#parts;
    await disk.makeDirectory(this.#path);
    for (const file of await listIfThere(disk, this.#path)) {
      if (!file.endsWith(CURSOR_SUFFIX)) continue;
      const checked = new CheckedFile(disk, join(this.#path, file), SLOT_BYTES);
      const content = await checked.read();
      const { name, offset, note } = typeof content === 'string' ? ({} as Record<string, unknown>) : content;
      const place = asCount(offset);
      if (typeof name === 'string' && fileName(name) === file && place !== undefined) {
        this.#cursors.set(name, new FileCursor(this.#parts, checked, name, place, note));
      } else {
        this.#logger.warn({ file }, `the cursor in ${file} cannot be read: it begins again at the first kept record`);
      }
    }
  }

  /** The greatest offset of any cursor: no record before it may ever be numbered anew. */
  get greatest(): Offset {
    let greatest = 0;
    for (const cursor of this.#cursors.values()) greatest = Math.max(greatest, cursor.offset);
    return greatest;
  }

  /**
   * Moves cursors that cannot be right to the first record: getting records again is harmless, missing some is not. Those
   * before it move there too, since nothing is left of what they wait for. All are written: at the next start a wrong place may no longer be
   * told from a right one, and after a sync that failed what was read may be in the memory of the system alone.
   */
  async mend(firstOffset: Offset, endOffset: Offset): Promise<void> {
    for (const cursor of this.#cursors.values()) {
      if (cursor.offset > endOffset) {
        this.#logger.warn(
          { cursor: cursor.name, offset: cursor.offset },
          `the cursor ${cursor.name} is at ${cursor.offset}, but the log ends at ${endOffset}: it begins again at ${firstOffset}`,
        );
        cursor.place(firstOffset);
      } else if (cursor.offset < firstOffset) cursor.place(firstOffset);
    }
    await this.flush();
  }

  /** The cursor of a name, made at `offset` when it is new. */
  get(name: string, offset: Offset): LogCursor {
    return this.#get(name, offset);
  }

  /** Makes every cursor durable without delay, as far as the disk lets it. */
  async flush(): Promise<void> {
    await Promise.all([...this.#cursors.values()].map((cursor) => cursor.flush()));
  }

  /** Whether every file is up to date. */
  get areNoted(): boolean {
    for (const cursor of this.#cursors.values()) if (!cursor.isNoted) return false;
    return true;
  }

  /**
   * What may be deleted, as far as files go that the disk refuses: all that they say is passed. A disk without room for a file must get
   * some, so that one does not count.
   */
  get notedTo(): Offset {
    let notedTo = Number.POSITIVE_INFINITY;
    for (const cursor of this.#cursors.values()) {
      if (!cursor.isNoted && !cursor.lacksRoom) notedTo = Math.min(notedTo, cursor.notedOffset);
    }
    return notedTo;
  }

  #get(name: string, offset: Offset): FileCursor {
    let cursor = this.#cursors.get(name);
    if (cursor === undefined) {
      if (name === '' || name.length > 64) {
        throw new GatewayError(`cannot make the cursor ${JSON.stringify(name)}`, {
          hint: 'a cursor has a name of 1 to 64 characters',
        });
      }
      const file = new CheckedFile(this.#parts.disk, join(this.#path, fileName(name)), SLOT_BYTES);
      cursor = new FileCursor(this.#parts, file, name, offset);
      this.#cursors.set(name, cursor);
    }
    return cursor;
  }
}

function fileName(name: string): string {
  return `${encodeURIComponent(name)}${CURSOR_SUFFIX}`;
}

class FileCursor implements LogCursor {
  readonly name: string;
  readonly #parts: CursorParts;
  readonly #file: CheckedFile;
  #offset: Offset;
  #note: unknown;
  /** What this process has written to the file; undefined before. */
  #saved: { readonly offset: Offset; readonly note: unknown } | undefined;
  /** The disk had no room for the file the last time. */
  lacksRoom = false;
  #savedAtMs = Number.NEGATIVE_INFINITY;
  /** Ends the wait before a write. */
  #hurry = new AbortController();
  #saving: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(parts: CursorParts, file: CheckedFile, name: string, offset: Offset, note?: unknown) {
    this.#parts = parts;
    this.#file = file;
    this.name = name;
    this.#offset = offset;
    this.#note = note;
  }

  get offset(): Offset {
    return this.#offset;
  }

  get note(): unknown {
    return this.#note;
  }

  /** Everything before this is passed, as the file says. */
  get notedOffset(): Offset {
    return this.#saved?.offset ?? 0;
  }

  /** The file says where it stands. */
  get isNoted(): boolean {
    return this.#offset === this.#saved?.offset && this.#note === this.#saved.note;
  }

  /** Moves the cursor, backwards too, until the next flush in memory alone. The note stays. */
  place(offset: Offset): void {
    this.#offset = offset;
  }

  /**
   * The cursor has moved at once; what is awaited is the file. Where the disk refuses, that is told in the status, the promise
   * resolves all the same and the next commit tries again: an old cursor file costs a redelivery, but a consumer that waited
   * for room could never make any.
   */
  commit(offset: Offset, note?: unknown): Promise<void> {
    this.#offset = Math.max(this.#offset, offset);
    if (note !== undefined) this.#note = note;
    return this.#save();
  }

  /** Writes the file without delay. */
  flush(): Promise<void> {
    this.#hurry.abort();
    return this.#save();
  }

  #save(): Promise<void> {
    if (this.#saving === undefined) {
      if (this.isNoted) return Promise.resolve();
      this.#saving = this.#write();
      return this.#saving;
    }
    // One more write after the one that runs is enough for all who ask meanwhile, and none where it was not too late for that one.
    this.#next ??= this.#saving.then(() => {
      this.#next = undefined;
      return this.#save();
    });
    return this.#next;
  }

  async #write(): Promise<void> {
    const { clock, troubles } = this.#parts;
    const waitMs = this.#savedAtMs + WRITE_EVERY_MS - clock.monotonicMs();
    if (waitMs > 0) await clock.sleep(waitMs, this.#hurry.signal);
    this.#hurry = new AbortController();
    const content = { offset: this.#offset, note: this.#note };
    const activity = `cursor ${this.name}`;
    try {
      await this.#file.write({ name: this.name, ...content });
      this.#saved = content;
      this.lacksRoom = false;
      troubles.end(activity);
    } catch (error) {
      this.lacksRoom = isNoSpace(error);
      troubles.begin(activity, `cannot write the ${activity}: ${messageOf(error)}`);
    } finally {
      this.#savedAtMs = clock.monotonicMs();
      this.#saving = undefined;
    }
  }
}
