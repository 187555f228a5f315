import { damageFiles, type Harm, placesOf } from '../gateway/buffer/random-damage.ts';
import type { FaultyDisk } from '../model/faulty-disk.ts';
import type { Trace } from './trace.ts';

const LOGS = ['journal', 'outbox', 'alarms', 'dead-letters'] as const;
/** Name of one of the gateway's logs. */
export type LogName = (typeof LOGS)[number];

/** Files of a kind: what is swapped by chance is swapped among them. */
interface Kind {
  readonly log: LogName | undefined;
  readonly isSegment: boolean;
  readonly pattern: RegExp;
}

const KINDS: readonly Kind[] = [
  ...LOGS.flatMap((log): readonly Kind[] => [
    { log, isSegment: true, pattern: new RegExp(`^/box/${log}/\\d+\\.log$`) },
    { log, isSegment: false, pattern: new RegExp(`^/box/${log}/state$`) },
    { log, isSegment: false, pattern: new RegExp(`^/box/${log}/cursors/`) },
  ]),
  { log: undefined, isSegment: false, pattern: /^\/box\/checkpoint-\d$/ },
];

/** What befalls files between two lives of a process: flipped bits, cut, zeroed, emptied, swapped, missing. Knows what it has touched. */
export class SimDamage {
  readonly #disk: FaultyDisk;
  readonly #random: () => number;
  readonly #trace: Trace;
  readonly #touched = new Map<LogName, number>();
  readonly #harmed = new Set<string>();
  /** Logs of which nobody knows what they had at their ends. */
  readonly #notes = new Set<LogName>();

  constructor(disk: FaultyDisk, parts: { random: () => number; trace: Trace }) {
    this.#disk = disk;
    this.#random = parts.random;
    this.#trace = parts.trace;
  }

  /** Damages files of one kind, each file once in a world. */
  strike(): void {
    const kind = KINDS[Math.floor(this.#random() * KINDS.length)]!;
    const paths = this.#disk.paths().filter((path) => kind.pattern.test(path) && !this.#harmed.has(path));
    if (paths.length === 0) return;
    const before = new Map(paths.map((path) => [path, this.#disk.content(path)]));
    for (const harm of damageFiles(this.#disk, paths, this.#random)) {
      this.#trace.add(harm.what);
      this.#harmed.add(harm.path);
      if (kind.log === undefined) continue;
      if (!kind.isSegment) this.#notes.add(kind.log);
      else this.#touch(kind.log, before.get(harm.path)!, harm, harm.path === paths.at(-1));
    }
  }

  /** Items of records that lay where a log was damaged: no more may be missing. */
  touchedItems(log: LogName): number {
    return this.#touched.get(log) ?? 0;
  }

  /** Whether anything of a log was damaged. */
  hasHarmed(log: LogName): boolean {
    return this.#notes.has(log) || this.#touched.has(log);
  }

  /**
   * Whether the log may not know what it has lost: its notes were damaged, or a segment that was being written when the process died, whose end
   * looks like any torn write then.
   */
  mayNotKnow(log: LogName): boolean {
    return this.#notes.has(log);
  }

  /** A record that several harms touch counts for each. */
  #touch(log: LogName, content: Buffer, { start, end }: Harm, isLast: boolean): void {
    if (isLast) this.#notes.add(log);
    let items = this.touchedItems(log);
    for (const place of placesOf(content)) if (start < place.end && place.start < end) items += place.items;
    this.#touched.set(log, items);
  }
}
