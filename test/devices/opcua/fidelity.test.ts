import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { OpcuaClient } from '../../../devices/opcua/opcua-client.ts';
import { systemClock } from '../../../gateway/base/system-clock.ts';
import { type PlayOpcuaOptions, startOpcuaPlayback } from '../../../simulators/opcua-player.ts';
import { RecordingIntake, silentLogger } from './recording-intake.ts';

const DATA = join(import.meta.dirname, '../../../../shared/anomaly/data');
const there = existsSync(DATA);
if (!there) process.stderr.write(`skipped: no anomaly data at ${DATA}\n`);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'opcua-fidelity-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What the file says, read without the player's code: for each metric, the source time and value of each row. */
function expectedOf(file: string, maxRows: number): Map<string, [number, number][]> {
  const [header, ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  const metrics = header!.trim().split(',').slice(1);
  const expected = new Map<string, [number, number][]>(metrics.map((metric) => [metric, []]));
  for (const line of lines.slice(0, maxRows)) {
    const [time, ...cells] = line.trim().split(',');
    for (const [i, metric] of metrics.entries()) {
      expected.get(metric)!.push([Date.parse(`${time!.replace(' ', 'T')}Z`), Number(cells[i])]);
    }
  }
  return expected;
}

async function play(options: PlayOpcuaOptions, queueSize: number) {
  const signal = AbortSignal.timeout(25_000);
  const playback = await startOpcuaPlayback({ secure: false, pkiPath: join(folder, 'player'), ...options }, signal);
  const intake = new RecordingIntake();
  const nodes = playback.nodeIds.map((id) => ({ id, device: 'd', metric: id.slice(id.indexOf('.') + 1) }));
  const client = new OpcuaClient(
    {
      name: 'player',
      endpoint: playback.endpointUrl,
      nodes,
      queueSize,
      publishingIntervalMs: 50,
      pkiPath: join(folder, 'gateway'),
    },
    intake,
    { clock: systemClock, logger: silentLogger },
  );
  await client.start(signal);
  try {
    await playback.played;
    await vi.waitUntil(() => intake.readings.length >= playback.counts.set, { timeout: 10_000, interval: 10 });
  } finally {
    await client.stop(AbortSignal.timeout(5_000));
    await playback.stop();
  }
  return { intake, counts: playback.counts, status: client.status() };
}

describe.skipIf(!there)('a recording played at full speed arrives whole, each value with its own source time', () => {
  test.each([
    { file: 'skab/valve1/0.csv', rows: 1_147, columns: 8, queueSize: 1_000 },
    { file: 'nab/realKnownCause/machine_temperature_system_failure.csv', rows: 5_000, columns: 1, queueSize: 1_000 },
    { file: 'nab/realKnownCause/machine_temperature_system_failure.csv', rows: 300, columns: 1, queueSize: 10 },
  ])('$file, $rows rows, queue of $queueSize', async ({ file, rows, columns, queueSize }) => {
    const path = join(DATA, file);
    const { intake, counts, status } = await play({ file: path, device: 'd', maxRows: rows }, queueSize);
    expect(counts).toEqual({ rows, set: rows * columns, empty: 0 });
    for (const [metric, expected] of expectedOf(path, rows)) {
      const got = intake.of(`d/${metric}`).map(({ sourceTime, value }) => [sourceTime, value]);
      expect(got).toEqual(expected);
    }
    expect(intake.rejected).toEqual([]);
    expect(status.numbers['overflows']).toBe(0);
  });
});
