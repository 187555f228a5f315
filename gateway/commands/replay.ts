import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { Configuration } from '../../config/configuration.ts';
import { divisionOf, KEY_GROUPS } from '../catalog/key-groups.ts';
import { loadFile } from './configuration-file.ts';
import { count } from './count.ts';
import { heapOfProcess } from './heap-bounds.ts';
import { Progress } from './progress.ts';
import type { Analyst } from './replay/analyst.ts';
import { backfillsOf, type Destination, StandardOutput } from './replay/destination.ts';
import { LocalAnalyst } from './replay/local-analyst.ts';
import { readRecorded } from './replay/recorded-input.ts';
import { Recording } from './replay/recording.ts';
import { ThreadAnalyst } from './replay/thread-analyst.ts';
import { ExitCode, type Surroundings } from './surroundings.ts';

/** So many rounds are on their way at the most: then nothing is read before the results of the first are written. */
const MAX_ROUNDS_AHEAD = 8;

/** `headgate replay`: recorded input through the same pipeline, results as NDJSON on the standard output. */
export function replayCommand(surroundings: Surroundings): Command {
  return new Command('replay')
    .description(
      'put recorded input (CSV, line protocol, NDJSON) through the pipeline; results as NDJSON on the standard output',
    )
    .requiredOption('-c, --config <file>', 'the configuration whose windows and detection are used')
    .option('--workers <n>', `threads among which the devices are divided, 1 to ${KEY_GROUPS}`, workerCount, 1)
    .option('--write', 'write the results to the InfluxDB sinks of the configuration instead')
    .argument('<input...>', 'files ending in .csv, .ndjson, .jsonl, .lp or .line')
    .action(async (inputs: string[], options: { config: string; workers: number; write?: true }) => {
      // Readings live for a moment only, in the threads too: a small nursery would be swept all the time.
      heapOfProcess.setNurseryGrowth(2);
      const { configuration } = await loadFile(options.config, surroundings);
      const paths = inputs.map((input) => resolve(surroundings.workingFolder, input));
      const division = divisionOf(configuration);
      if (division.undivided !== undefined && options.workers > 1) {
        surroundings.err(`Replaying with one worker: ${division.undivided}\n`);
      }
      const destination =
        options.write === true ? await backfillsOf(configuration, surroundings) : new StandardOutput(surroundings);
      const analysts = makeAnalysts(configuration, division.undivided === undefined ? options.workers : 1);
      try {
        await replay(paths, new Recording({ configuration, division, analysts }), destination, surroundings);
      } finally {
        await Promise.all([destination.close(), ...analysts.map((analyst) => analyst.end())]);
      }
      if (destination.refused > 0) throw new ExitCode(1);
    });
}

function workerCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= KEY_GROUPS) return count;
  throw new InvalidArgumentError(`It is a whole number from 1 to ${KEY_GROUPS}.`);
}

function makeAnalysts(configuration: Configuration, workers: number): readonly Analyst[] {
  if (workers === 1) return [new LocalAnalyst(configuration)];
  return Array.from({ length: workers }, () => new ThreadAnalyst(configuration));
}

async function replay(
  paths: readonly string[],
  recording: Recording,
  destination: Destination,
  surroundings: Surroundings,
): Promise<void> {
  const { err, signal } = surroundings;
  const progress = new Progress(surroundings);
  for await (const path of readRecorded(paths, recording)) {
    progress.show(() => `${count(recording.received, 'reading')}, just now from ${path}${destination.progress}`);
    await writeResults(recording, MAX_ROUNDS_AHEAD, destination, signal);
    if (signal.aborted) break;
  }
  if (!signal.aborted) {
    recording.end();
    await writeResults(recording, 0, destination, signal);
    await destination.finish();
  }
  progress.done();
  // A reader of the output that has seen enough wants to hear no more; what was written to a database by then is told.
  err(signal.aborted ? destination.summary : `${await recording.summary()}\n${destination.summary}`);
}

/** Writes results until so many rounds are left. */
async function writeResults(
  recording: Recording,
  left: number,
  destination: Destination,
  signal: AbortSignal,
): Promise<void> {
  while (recording.pending > left && !signal.aborted) {
    const lines = await recording.nextResults();
    if (lines.length > 0) await destination.write(lines);
  }
}
