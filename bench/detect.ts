/**
 * What detectors cost and how good they are.
 *
 *     npm run bench:detect                     cost of a reading in each detector and in the stage
 *     npm run bench:detect -- --data DIR       quality on labelled data too, by the published protocols, and the worst five series as pictures
 *     [--series 5000] [--rounds 200]           how many series take turns, and for how many readings each
 *     [--scorer DIR] [--pictures DIR]          where the scorers are, and where the pictures go
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { DetectorOptions } from '../gateway/detect/detectors/detector-kind.ts';
import { detectorKind, detectorKinds } from '../gateway/detect/detectors/detectors.ts';
import { jointDetectorNames } from '../gateway/detect/together/joint-detectors.ts';
import { type Cost, detectorCost, jointDetectorCost, type Load, stageCost } from './detect-cost.ts';
import { type DetectData, loadScorers, readDetectData, type Scorers, type SkabResult } from './detect-data.ts';
import { type JointQuality, jointQuality } from './detect-joint.ts';
import { recordingPicture, seriesPicture } from './detect-picture.ts';
import { detectorQuality, type Quality } from './detect-quality.ts';

/** For the cost: some that are never met. */
const OPTIONS: Readonly<Record<string, DetectorOptions>> = {
  range: { min: -5, max: 5 },
  flatline: { forMs: 600_000 },
  'rate-of-change': { maxPerSecond: 100 },
};
const PICTURES = 5;
/** Channels of a group whose cost is told. */
const CHANNELS = [3, 8, 32];

const { values: given } = parseArgs({
  options: {
    data: { type: 'string' },
    scorer: { type: 'string' },
    pictures: { type: 'string', default: join(tmpdir(), 'headgate-bench-detect') },
    series: { type: 'string', default: '5000' },
    rounds: { type: 'string', default: '200' },
  },
});
const load: Load = { series: Number(given.series), rounds: Number(given.rounds) };

/** A detector that needs to be told something of a series says nothing of series it was told nothing of. */
const learning = detectorKinds.filter(({ name }) => OPTIONS[name] === undefined).map(({ name }) => name);
const jointCosts = jointDetectorNames.flatMap((name) =>
  CHANNELS.map((channels) => ({ name, channels, cost: jointDetectorCost(name, channels, load) })),
);
const costs = new Map(detectorKinds.map(({ name }) => [name, detectorCost(name, OPTIONS[name], load)]));
print(`${load.series} series in turns, ${load.rounds} readings each; time of the processor on one core\n\n`);
if (given.data === undefined) printCosts();
else await printQuality(resolve(given.data));

function printCosts(): void {
  for (const [name, cost] of costs) printCost(name, cost);
  const alarm = { severity: 'warning' } as const;
  const ruleOf = (detector: string) => ({ series: '*', detector, options: OPTIONS[detector] ?? {}, alarm });
  printCost('stage, no rule matches', stageCost([{ series: 'other', detector: 'auto', alarm }], load));
  for (const name of learning) printCost(`stage, ${name}`, stageCost([ruleOf(name)], load));
  printCost('stage, all of them', stageCost([...costs.keys()].map(ruleOf), load));
  printJointCosts();
}

function printJointCosts(): void {
  for (const { name, channels, cost } of jointCosts) {
    print(
      `${`${name} of ${channels}`.padEnd(24)} ${nsText(cost.ns).padStart(8)} a vector    ${bytesText(cost.bytes).padStart(8)} a group    ${cost.note}\n`,
    );
  }
}

function printCost(title: string, { ns, bytes, note }: Cost): void {
  print(
    `${title.padEnd(24)} ${nsText(ns).padStart(8)} a reading   ${bytesText(bytes).padStart(8)} a series   ${note}\n`,
  );
}

async function printQuality(folder: string): Promise<void> {
  const data = readDetectData(folder);
  const scorers = await loadScorers(folder, given.scorer);
  const { nab, skab, normal } = data;
  print(`${folder}: ${nab.length} NAB series, ${skab.length} SKAB recordings, ${normal.length} of normal operation\n`);
  print(
    'NAB: onsets, with the threshold best for each profile (standard / few false alarms / few misses), and at 1. SKAB: at 1, each channel by itself.\n\n',
  );
  const heads = [
    'detector',
    'NAB best',
    'windows, false',
    'NAB at 1',
    'windows, false',
    'SKAB F1 FAR MAR',
    'normal',
    'a reading',
    'a series',
  ];
  const lines = [heads];
  let drawn: string[] = [];
  for (const name of learning) {
    const quality = await detectorQuality(name, data, scorers);
    lines.push([name, ...qualityCells(name, quality), nsText(costs.get(name)!.ns), bytesText(costs.get(name)!.bytes)]);
    drawn = [...drawn, ...draw(name, quality)];
  }
  printTable(lines);
  if (data.skab.length > 0) drawn = [...drawn, ...(await printTogether(data, scorers))];
  if (drawn.length > 0)
    print(`\nthe ${PICTURES} series that each lost most on:\n${drawn.map((path) => `  ${path}\n`).join('')}`);
}

/** What those reach that judge several series together; answers where the pictures are. */
async function printTogether(data: DetectData, scorers: Scorers): Promise<string[]> {
  print(
    '\nSeries together: rows called anomalies (F1, false, missed), changes found (SKAB: standard / few false / few misses), the same from later starts on.\n\n',
  );
  const lines = [['detector', 'F1 FAR MAR', 'changes', 'later: F1 FAR MAR', 'normal']];
  const drawn: string[] = [];
  for (const name of jointDetectorNames) {
    const quality = await jointQuality(name, data, scorers);
    const { rows, changes, later, falseShare } = quality;
    const found = [changes.standard, changes.LowFP, changes.LowFN].map((score) => score.toFixed(1)).join(' / ');
    const normal = falseShare === undefined ? '-' : `${(100 * falseShare).toFixed(2)} %`;
    lines.push([name, skabText(rows), found, skabText(later), normal]);
    drawn.push(...drawRecordings(name, quality));
  }
  printTable(lines);
  print('\n');
  printJointCosts();
  return drawn;
}

function printTable(lines: readonly (readonly string[])[]): void {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  for (const line of lines) print(`${line.map((cell, column) => cell.padEnd(widths[column]!)).join('   ')}\n`);
}

function skabText({ f1, far, mar }: SkabResult): string {
  return `${f1.toFixed(2)} ${far.toFixed(1)} % ${mar.toFixed(1)} %`;
}

function drawRecordings(detector: string, { worst }: JointQuality): string[] {
  const folder = resolve(given.pictures, detector);
  mkdirSync(folder, { recursive: true });
  return worst.slice(0, PICTURES).map((judged, i) => {
    const path = join(folder, `${i + 1}-${judged.table.name.replaceAll('/', '-').replace(/\.csv$/, '')}.svg`);
    writeFileSync(path, recordingPicture(judged));
    return path;
  });
}

function qualityCells(detector: string, { nab, skab, falseShare }: Quality): string[] {
  const none = '-';
  const found = (of: { detected: number; windows: number; fpRows: number }) =>
    `${of.detected}/${of.windows}, ${of.fpRows}`;
  return [
    nab === undefined
      ? none
      : Object.values(nab.best)
          .map(({ score }) => score.toFixed(1))
          .join(' / '),
    nab === undefined ? none : found(nab.best.standard),
    nab === undefined ? none : nab.own.score.toFixed(1),
    nab === undefined ? none : found(nab.own),
    // Rows of an anomaly after its first cannot be counted where only that is told.
    skab === undefined || detectorKind(detector).onsetOnly ? none : skabText(skab),
    falseShare === undefined ? none : `${(100 * falseShare).toFixed(2)} %`,
  ];
}

function draw(detector: string, { nab }: Quality): string[] {
  if (nab === undefined) return [];
  const folder = resolve(given.pictures, detector);
  mkdirSync(folder, { recursive: true });
  return nab.worst.slice(0, PICTURES).map((judged, i) => {
    const path = join(folder, `${i + 1}-${judged.table.name.replaceAll('/', '-').replace(/\.csv$/, '')}.svg`);
    writeFileSync(path, seriesPicture(judged, nab.best.standard.threshold));
    return path;
  });
}

function nsText(ns: number): string {
  return `${ns.toFixed(0)} ns`;
}

function bytesText(bytes: number): string {
  return Number.isNaN(bytes) ? 'n/a' : `${Math.round(bytes)} B`;
}

function print(text: string): void {
  process.stdout.write(text);
}
