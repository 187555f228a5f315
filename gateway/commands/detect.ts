import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { CsvError, parse } from 'csv-parse';
import { GatewayError, messageOf } from '../core/errors.ts';
import { defaultDetector, SCORED_COLUMNS, scoreTable } from '../detect/detect-table.ts';
import { detectorNames } from '../detect/detectors/detectors.ts';
import { jointDetectorNames } from '../detect/together/joint-detectors.ts';
import { detectorSettings, repeated } from './detector-settings.ts';
import { Progress } from './progress.ts';
import type { Surroundings } from './surroundings.ts';

const ROWS_PER_WRITE = 1_000;

/** `headgate detect`: scores a CSV as a detector would have, reading by reading. */
export function detectCommand(surroundings: Surroundings): Command {
  return new Command('detect')
    .description('score a CSV, each line by those before it: timestamp,score,anomaly')
    .argument('<file>', 'CSV whose first column is the time and whose other columns are values')
    .option(
      '--detector <name>',
      `${detectorNames.join(', ')}: each column by itself; ${jointDetectorNames.join(', ')}: all of them together. Default: auto for one column, mahalanobis for several`,
    )
    .option(
      '--set <name=value>',
      'an option of the detector, as in a configuration: min=10, for=5m; may be given again',
      repeated,
    )
    .option('--out <file>', 'where the scores go, instead of the standard output')
    .action(async (file: string, options: { detector?: string; set?: readonly string[]; out?: string }) => {
      const path = resolve(surroundings.workingFolder, file);
      const progress = new Progress(surroundings);
      const { columns, rows } = await withHead(readTable(path));
      const detector = options.detector ?? defaultDetector(columns - 1);
      const scored = scoreTable(rows, { detector, options: detectorSettings(detector, options.set ?? []) });
      const write =
        options.out === undefined ? undefined : fileWriter(resolve(surroundings.workingFolder, options.out));
      const put = write?.put ?? ((text: string) => surroundings.out(text));
      let done = 0;
      let lines = [SCORED_COLUMNS.join(',')];
      for await (const { timestamp, score, anomaly } of scored) {
        lines.push(`${quoteCell(timestamp)},${score},${anomaly}`);
        done++;
        if (lines.length < ROWS_PER_WRITE) continue;
        await put(`${lines.join('\n')}\n`);
        lines = [];
        progress.show(() => `${done} rows scored`);
      }
      if (lines.length > 0) await put(`${lines.join('\n')}\n`);
      await write?.close();
      progress.done();
    });
}

/** The rows of a CSV; comma or semicolon, as its first line has it. */
async function* readTable(path: string): AsyncGenerator<readonly string[]> {
  const parser = createReadStream(path)
    .on('error', (error) => parser.destroy(error))
    .pipe(parse({ bom: true, delimiter: [',', ';'], relax_column_count: true, skip_empty_lines: true, trim: true }));
  try {
    for await (const row of parser) yield row as string[];
  } catch (error) {
    throw new GatewayError(`Cannot read ${path}: ${messageOf(error)}`, {
      hint:
        error instanceof CsvError
          ? 'it has to be a CSV: a head line, then a time and one or more values in each line'
          : 'name a file that is there and that you may read',
      cause: error,
    });
  }
}

/** How many columns a table has by its head, and all of its rows, the head first. */
async function withHead(
  table: AsyncGenerator<readonly string[]>,
): Promise<{ columns: number; rows: AsyncIterable<readonly string[]> }> {
  const head = await table.next();
  async function* rows(): AsyncGenerator<readonly string[]> {
    if (head.done === true) return;
    yield head.value;
    yield* table;
  }
  return { columns: head.done === true ? 0 : head.value.length, rows: rows() };
}

function fileWriter(path: string): { put: (text: string) => Promise<void>; close: () => Promise<void> } {
  const stream = createWriteStream(path);
  const failed = once(stream, 'error').then(([error]: unknown[]) => {
    throw new GatewayError(`Cannot write ${path}: ${messageOf(error)}`, { cause: error });
  });
  // Awaited with every write: it must not count as unhandled in between.
  failed.catch(() => stream.destroy());
  return {
    put: (text) => Promise.race([failed, new Promise<void>((done) => stream.write(text, () => done()))]),
    close: () => Promise.race([failed, new Promise<void>((done) => stream.end(() => done()))]),
  };
}

function quoteCell(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
