import { messageOf } from '../core/errors.ts';
import { type TableContent, unlikeColumn } from '../core/table.ts';
import type { Logger } from '../core/telemetry.ts';
import type { TableStatus } from '../core/view.ts';
import type { TableChanged } from './command.ts';
import type { TableDesk } from './stage-set.ts';

/** Where the content of a table comes from. */
export interface TableFile {
  readonly name: string;
  /** As it was when the configuration was loaded. */
  readonly content: TableContent;
  /** What it is now; the very object of the time before where the file is the same. Rejects, with a sentence, where it is no table. */
  read(): Promise<TableContent>;
}

/** What keeps the tables. */
export interface TableKeeperParts {
  readonly tables: readonly TableFile[];
  readonly desk: () => TableDesk;
  /** Tells the analysis, by way of the journal. */
  readonly tell: (command: TableChanged) => void;
  readonly logger: Logger;
}

/** A table, and how it stands. */
interface Kept {
  readonly file: TableFile;
  /** What the analysis was told last. */
  content: TableContent;
  problem: string | null;
}

/**
 * Sees that the analysis knows what the files of the tables say: at a start, and whenever one has changed. What is no table any more is left where it is,
 * and told in the status.
 */
export class TableKeeper {
  readonly #parts: TableKeeperParts;
  readonly #kept: readonly Kept[];

  constructor(parts: TableKeeperParts) {
    this.#parts = parts;
    this.#kept = parts.tables.map((file) => ({ file, content: file.content, problem: null }));
  }

  /** The journal has been replayed, and no reading has come yet: tells of each table that a replay would not find as it is. */
  begin(): void {
    const desk = this.#parts.desk();
    for (const { file } of this.#kept) {
      const told = desk.told(file.name);
      if (told === undefined || JSON.stringify(told) !== JSON.stringify(file.content))
        this.#tell(file.name, file.content);
    }
  }

  /** Looks whether any file has changed; call it every few seconds, one call after the other. Never rejects. */
  async look(): Promise<void> {
    for (const kept of this.#kept) await this.#lookAt(kept);
  }

  status(): readonly TableStatus[] {
    return this.#kept.map(({ file, content, problem }) => ({ name: file.name, rows: content.rows.length, problem }));
  }

  async #lookAt(kept: Kept): Promise<void> {
    const { file } = kept;
    const { logger } = this.#parts;
    try {
      const content = await file.read();
      const unlike = unlikeColumn(file.content, content);
      if (unlike !== undefined)
        throw new Error(`the column ${unlike} is gone, or not of numbers or texts as it was: a restart takes it`);
      if (kept.problem !== null) logger.info({ table: file.name }, 'the table can be read again');
      kept.problem = null;
      if (content === kept.content) return;
      this.#tell(file.name, content);
      kept.content = content;
      logger.info({ table: file.name, rows: content.rows.length }, 'the table has changed');
    } catch (error) {
      const problem = messageOf(error);
      if (kept.problem !== problem) logger.error({ table: file.name, problem }, 'the table stays as it was');
      kept.problem = problem;
    }
  }

  #tell(table: string, content: TableContent): void {
    this.#parts.tell({ type: 'table-changed', table, content });
  }
}
