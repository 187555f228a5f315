import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { parse } from 'csv-parse';
import { errorCode } from '../core/disk.ts';
import { GatewayError, messageOf } from '../core/errors.ts';
import { SCORED_COLUMNS, scoreTable } from '../detect/detect-table.ts';
import { detectorNames } from '../detect/detectors.ts';
import { detectorSettings, repeated } from './detector-settings.ts';
import { Progress } from './progress.ts';
import type { Surroundings } from './surroundings.ts';

const ROWS_PER_WRITE = 1_000;

/** `headgate detect`: scores a CSV as a detector would have, reading by reading. */
export function detectCommand(surroundings: Surroundings): Command {
  return new Command('detect')
    .description('score a CSV causally: timestamp,score,anomaly')
    .argument('<file>', 'CSV whose first column is the time and whose other columns are values')
    .option('--detector <name>', `one of ${detectorNames.join(', ')}`, 'auto')
    .option(
      '--set <name=value>',
      'an option of the detector, as in a configuration: min=10, for=5m; may be given again',
      repeated,
      [],
    )
    .option('--out <file>', 'where the scores go, instead of the standard output')
    .action(async (file: string, options: { detector: string; set: readonly string[]; out?: string }) => {
      const path = resolve(surroundings.workingFolder, file);
      const progress = new Progress(surroundings);
      const { detector } = options;
      const scored = scoreTable(readTable(path), { detector, options: detectorSettings(detector, options.set) });
      const write =
        options.out === undefined ? undefined : fileWriter(resolve(surroundings.workingFolder, options.out));
      const put = write?.put ?? ((text: string) => surroundings.out(text));
      let rows = 0;
      let lines = [SCORED_COLUMNS.join(',')];
      for await (const { timestamp, score, anomaly } of scored) {
        lines.push(`${quoteCell(timestamp)},${score},${anomaly}`);
        rows++;
        if (lines.length < ROWS_PER_WRITE) continue;
        await put(`${lines.join('\n')}\n`);
        lines = [];
        progress.show(() => `${rows} rows scored`);
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
    const isThere = errorCode(error)?.startsWith('CSV_') === true;
    throw new GatewayError(`Cannot read ${path}: ${messageOf(error)}`, {
      hint: isThere
        ? 'it has to be a CSV: a head line, then a time and one or more values in each line'
        : 'name a file that is there and that you may read',
      cause: error,
    });
  }
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
