/**
 * What a year costs on the card: readings of one series, one a minute, through windows of a minute and rollups of an hour and a day into
 * the history, with a time to keep for each. Takes some ten seconds.
 *
 *     node bench/history.ts [days]
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SeriesRegistry } from '../gateway/base/series-registry.ts';
import { systemDisk } from '../gateway/base/system-disk.ts';
import type { Clock } from '../gateway/core/clock.ts';
import { Quality } from '../gateway/core/quality.ts';
import type { Result } from '../gateway/core/result.ts';
import type { Logger } from '../gateway/core/telemetry.ts';
import { WindowStage } from '../gateway/pipeline/windows/window-stage.ts';
import { HistorySink } from '../gateway/sinks/history/history.ts';

const DAYS = Number(process.argv[2] ?? 366);
const MINUTE = 60_000;
const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 1);
const AGGREGATES = ['count', 'mean', 'min', 'max', 'stddev', 'p95'];
const LEVELS = [
  { name: 'minute', keepMs: 30 * DAY },
  { name: 'hour', keepMs: 365 * DAY },
  { name: 'day', keepMs: 3650 * DAY },
];

const silent: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silent,
};

async function fill(levels: typeof LEVELS): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-year-'));
  const path = join(folder, 'history.sqlite');
  let now = START;
  const clock: Clock = { now: () => now, monotonicMs: () => now, sleep: async () => {} };
  const signal = new AbortController().signal;
  const keepMs = new Map(levels.map((one) => [one.name, one.keepMs]));
  const history = new HistorySink({ path, sync: false, keepMs }, { clock, logger: silent, disk: systemDisk });
  await history.start(signal);

  const registry = new SeriesRegistry();
  const series = registry.intern({ device: 'press-1', metric: 'temperature' });
  if (typeof series === 'string') throw new Error(series);
  const stage = new WindowStage({
    windows: [
      {
        name: 'minute',
        series: '*',
        window: { tumblingMs: MINUTE, allowedLatenessMs: 0 },
        aggregates: AGGREGATES,
      },
    ],
    rollups: [
      { name: 'hour', from: 'minute', window: { tumblingMs: 3_600_000 } },
      { name: 'day', from: 'hour', window: { calendar: 'day', timeZone: 'UTC' } },
    ],
    time: { outOfOrdernessMs: 0, idleTimeoutMs: DAY },
    findSeries: () => undefined,
  });
  let results: Result[] = [];
  for (const end = START + DAYS * DAY; now < end; now += MINUTE) {
    const value = 40 + 10 * Math.sin(now / 1e7) + (now % 7919) / 1000;
    const reading = { series, source: 'bench', value, quality: Quality.good, sourceTime: now, receiveTime: now };
    stage.process(reading, (result) => {
      if (levels.some(({ name }) => result.kind === 'aggregate' && result.window === name)) results.push(result);
    });
    if (results.length < 60) continue;
    await history.write(results, signal);
    results = [];
  }
  const { bytes } = history.status();
  const rows = levels.map(({ name: window }) => {
    const count = history.aggregates({ series: series.key, window, limit: 1_000_000 }).length;
    return `${count} of a ${window}`;
  });
  await history.stop(signal);
  process.stdout.write(
    `${DAYS} days: ${(bytes / 1e6).toFixed(2)} MB in use, ${(statSync(path).size / 1e6).toFixed(2)} MB on the disk; ${rows.join(', ')}\n`,
  );
  rmSync(folder, { recursive: true });
}

await fill(LEVELS);
await fill([{ name: 'minute', keepMs: 3650 * DAY }]);
