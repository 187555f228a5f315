/**
 * How many readings a second `headgate replay` takes with one worker and with two, and whether they say the same: all files of the Numenta Anomaly
 * Benchmark (https://github.com/numenta/NAB, data/), each a device, played many times over, later each time. They are looked for beside this
 * folder, or where HEADGATE_NAB says; what is played is written to a scratch folder.
 *
 *     node bench/replay.ts [REPETITIONS]
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, existsSync, openSync } from 'node:fs';
import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';

const ENTRY = join(import.meta.dirname, '..', 'gateway', 'headgate.js');
const NAB = process.env['HEADGATE_NAB'] ?? join(import.meta.dirname, '..', '..', 'shared', 'anomaly', 'data', 'nab');
const REPETITIONS = Number(process.argv[2] ?? 100);
const ROUNDS = 2;

const CONFIGURATION = `
windows:
  - { name: hour, series: "*", window: { tumbling: 1h }, aggregates: [count, mean, min, max, stddev] }
detect:
  - { series: "*", detector: novelty, alarm: { severity: warning } }
sources: []
`;

interface Recording {
  readonly times: readonly number[];
  readonly values: readonly string[];
}

async function readNab(path: string): Promise<Recording> {
  const [, ...rows] = (await readFile(path, 'utf8')).trim().split('\n');
  const cells = rows.map((row) => row.trim().split(','));
  return {
    times: cells.map(([time = '']) => Date.parse(`${time.slice(0, 19).replace(' ', 'T')}Z`)),
    values: cells.map(([, value = '']) => value),
  };
}

/** Writes a recording again and again, each time where the one before has ended. @returns its readings */
async function play({ times, values }: Recording, path: string): Promise<number> {
  const first = Math.min(...times);
  const last = Math.max(...times);
  const lengthMs = last - first + (last - first) / times.length;
  const file = await open(path, 'w');
  await file.write('timestamp,value\n');
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    const shiftMs = Math.round((repetition * lengthMs) / 1000) * 1000;
    const rows = times.map((time, i) => {
      const said = new Date(time + shiftMs).toISOString();
      return `${said.slice(0, 10)} ${said.slice(11, 19)},${values[i]}\n`;
    });
    await file.write(rows.join(''));
  }
  await file.close();
  return times.length * REPETITIONS;
}

async function playAll(folder: string): Promise<{ readonly inputs: readonly string[]; readonly readings: number }> {
  const files = (await readdir(NAB, { recursive: true })).filter((file) => file.endsWith('.csv')).sort();
  const inputs: string[] = [];
  let readings = 0;
  for (const file of files) {
    const input = join(folder, file.replaceAll(/[/\\]/g, '-'));
    readings += await play(await readNab(join(NAB, file)), input);
    inputs.push(input);
  }
  return { inputs, readings };
}

/** @returns seconds, and what was said */
async function replay(workers: number, folder: string, inputs: readonly string[]) {
  const output = join(folder, 'results.ndjson');
  const args = ['replay', '--config', join(folder, 'gateway.yaml'), '--workers', String(workers), ...inputs];
  const began = performance.now();
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ENTRY, ...args], {
    stdio: ['ignore', openSync(output, 'w'), 'pipe'],
  });
  let told = '';
  child.stderr!.on('data', (text) => {
    told += text;
  });
  const [code] = await once(child, 'close');
  const seconds = (performance.now() - began) / 1000;
  if (code !== 0) throw new Error(`headgate replay has ended with ${code}: ${told}`);
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(output)) hash.update(chunk);
  return { seconds, said: hash.digest('hex') };
}

async function measure(folder: string): Promise<void> {
  await writeFile(join(folder, 'gateway.yaml'), CONFIGURATION);
  const { inputs, readings } = await playAll(folder);
  const print = (line: string) => process.stdout.write(`${line}\n`);
  print(
    `replay: ${inputs.length} files, ${REPETITIONS} times over: ${readings} readings; ${availableParallelism()} cores`,
  );
  const best = new Map<number, number>();
  const said = new Set<string>();
  for (let round = 1; round <= ROUNDS; round++) {
    for (const workers of [1, 2]) {
      const run = await replay(workers, folder, inputs);
      said.add(run.said);
      best.set(workers, Math.min(best.get(workers) ?? Number.POSITIVE_INFINITY, run.seconds));
      print(`  round ${round}, ${workers} workers: ${(readings / run.seconds / 1e6).toFixed(2)} M readings/s`);
    }
  }
  if (said.size !== 1) throw new Error('the results are not the same');
  print(`  2 workers are ${(best.get(1)! / best.get(2)!).toFixed(2)} times as fast as 1; the results are equal`);
}

if (existsSync(NAB)) {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-bench-'));
  try {
    await measure(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
} else process.stdout.write(`replay: skipped, as ${NAB} is not there; HEADGATE_NAB may name another folder\n`);
