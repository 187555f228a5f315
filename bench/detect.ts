// Cost of a reading in each detector and in the detection stage, with many series interleaved as a gateway sees them, and bytes of
// state of a series. Run: node --expose-gc bench/detect.ts [SERIES] [ROUNDS]
import { serialize } from 'node:v8';
import { SeriesRegistry } from '../gateway/base/series-registry.ts';
import type { Detector } from '../gateway/core/detector.ts';
import { Quality } from '../gateway/core/quality.ts';
import type { Reading } from '../gateway/core/reading.ts';
import { DetectStage } from '../gateway/detect/detect-stage.ts';
import { type DetectorOptions, detectorFactory } from '../gateway/detect/detectors.ts';

const SERIES = Number(process.argv[2] ?? 5000);
const ROUNDS = Number(process.argv[3] ?? 400);

const OPTIONS: Readonly<Record<string, DetectorOptions>> = {
  range: { min: -5, max: 5 },
  novelty: {},
  auto: {},
  flatline: { forMs: 600_000 },
  'rate-of-change': { maxPerSecond: 100 },
};

/** Uniform in [0, 1), the same in every run (xorshift32). */
function newRandom(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4_294_967_296;
  };
}

/** Noise on a slow wave; made before the clock starts. */
const random = newRandom(42);
const wave = Float64Array.from({ length: 1 << 16 }, (_, i) => Math.sin(i / 300) + random() - 0.5);

function usedBytes(): number {
  // Once is not enough for the memory behind typed arrays.
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function report(name: string, ns: number, bytes: number, note: string): void {
  const state = globalThis.gc === undefined ? 'n/a (needs --expose-gc)' : `${Math.round(bytes)} B`;
  process.stdout.write(
    `${name.padEnd(24)} ${ns.toFixed(0).padStart(6)} ns a reading   ${state.padStart(8)} a series   ${note}\n`,
  );
}

function benchDetector(name: string): void {
  const create = detectorFactory(name, OPTIONS[name]);
  const before = usedBytes();
  const detectors: Detector[] = Array.from({ length: SERIES }, create);
  const bytes = (usedBytes() - before) / SERIES;
  let anomalies = 0;
  const run = (from: number, rounds: number) => {
    for (let round = from; round < from + rounds; round++) {
      for (let id = 0; id < SERIES; id++) {
        const value = wave[(round + id * 7919) & 0xffff]!;
        if (detectors[id]!.judge(value, round * 1000).anomaly) anomalies++;
      }
    }
  };
  run(0, 220);
  const started = performance.now();
  run(220, ROUNDS);
  const ns = ((performance.now() - started) * 1e6) / (ROUNDS * SERIES);
  report(name, ns, bytes, `${anomalies} anomalies, snapshot ${serialize(detectors[0]!.snapshot()).length} B`);
}

function benchStage(title: string, rules: ConstructorParameters<typeof DetectStage>[0]['rules']): void {
  const registry = new SeriesRegistry();
  const readings: { -readonly [Name in keyof Reading]: Reading[Name] }[] = [];
  for (let id = 0; id < SERIES; id++) {
    const series = registry.intern({ device: `device-${id}`, metric: 'temperature' });
    if (typeof series === 'string') throw new Error(series);
    readings.push({ series, source: 'bench', value: 0.5, quality: Quality.good, sourceTime: 0, receiveTime: 0 });
  }
  const before = usedBytes();
  const stage = new DetectStage({ rules });
  let results = 0;
  const emit = () => {
    results++;
  };
  const run = (from: number, rounds: number) => {
    for (let round = from; round < from + rounds; round++) {
      for (let id = 0; id < SERIES; id++) {
        const reading = readings[id]!;
        reading.value = wave[(round + id * 7919) & 0xffff]!;
        reading.sourceTime = round * 1000;
        stage.process(reading, emit);
      }
    }
  };
  run(0, 220);
  const bytes = (usedBytes() - before) / SERIES;
  const started = performance.now();
  run(220, ROUNDS);
  const ns = ((performance.now() - started) * 1e6) / (ROUNDS * SERIES);
  report(title, ns, bytes, `${results} results, ${stage.activeAlarms().length} active alarms`);
}

process.stdout.write(`${SERIES} series interleaved, ${ROUNDS} readings each after 220 to warm up\n`);
for (const name of Object.keys(OPTIONS)) benchDetector(name);
const alarm = { severity: 'warning' } as const;
benchStage('stage, no rule matches', [{ series: 'other', detector: 'novelty', alarm }]);
benchStage('stage, novelty', [{ series: '*', detector: 'novelty', alarm }]);
benchStage(
  'stage, four rules',
  Object.keys(OPTIONS).map((detector) => ({ series: '*', detector, options: OPTIONS[detector], alarm })),
);
