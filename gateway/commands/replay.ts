import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { Configuration } from '../../config/configuration.ts';
import { divisionOf, KEY_GROUPS } from '../catalog/key-groups.ts';
import { loadFile } from './configuration-file.ts';
import { Progress } from './progress.ts';
import type { Analyst } from './replay/analyst.ts';
import { LocalAnalyst } from './replay/local-analyst.ts';
import { readRecorded } from './replay/recorded-input.ts';
import { Recording } from './replay/recording.ts';
import { ThreadAnalyst } from './replay/thread-analyst.ts';
import type { Surroundings } from './surroundings.ts';

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
    .argument('<input...>', 'files ending in .csv, .ndjson, .jsonl, .lp or .line')
    .action(async (inputs: string[], options: { config: string; workers: number }) => {
      const { configuration } = await loadFile(options.config, surroundings);
      const paths = inputs.map((input) => resolve(surroundings.workingFolder, input));
      const division = divisionOf(configuration);
      if (division.undivided !== undefined && options.workers > 1) {
        surroundings.err(`Replaying with one worker: ${division.undivided}\n`);
      }
      const analysts = makeAnalysts(configuration, division.undivided === undefined ? options.workers : 1);
      try {
        await replay(paths, new Recording({ configuration, division, analysts }), surroundings);
      } finally {
        await Promise.all(analysts.map((analyst) => analyst.end()));
      }
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

async function replay(paths: readonly string[], recording: Recording, surroundings: Surroundings): Promise<void> {
  const progress = new Progress(surroundings);
  for await (const path of readRecorded(paths, recording)) {
    progress.show(() => `${recording.received} readings, just now from ${path}`);
    await writeResults(recording, MAX_ROUNDS_AHEAD, surroundings);
    if (surroundings.signal.aborted) return;
  }
  recording.end();
  await writeResults(recording, 0, surroundings);
  if (surroundings.signal.aborted) return;
  progress.done();
  surroundings.err(`${await recording.summary()}\n`);
}

/** Writes results until so many rounds are left. */
async function writeResults(recording: Recording, left: number, { out, signal }: Surroundings): Promise<void> {
  while (recording.pending > left && !signal.aborted) {
    const lines = await recording.nextResults();
    if (lines !== '') await out(lines);
  }
}
