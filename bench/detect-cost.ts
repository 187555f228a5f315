import { serialize } from 'node:v8';
import { SeriesRegistry } from '../gateway/base/series-registry.ts';
import type { Detector } from '../gateway/core/detector.ts';
import { Quality } from '../gateway/core/quality.ts';
import type { Reading } from '../gateway/core/reading.ts';
import { DetectStage } from '../gateway/detect/detect-stage.ts';
import type { DetectorOptions } from '../gateway/detect/detectors/detector-kind.ts';
import { detectorFactory } from '../gateway/detect/detectors/detectors.ts';
import { jointDetectorFactory } from '../gateway/detect/together/joint-detectors.ts';
import { WARMED_AT_ONCE } from '../gateway/runtime/warm.ts';

/** What a reading costs where many series take turns. */
export interface Cost {
  /** Time of the processor on one reading, in nanoseconds: what others do on the machine counts little. */
  readonly ns: number;
  /** What a series takes in memory; NaN without --expose-gc. */
  readonly bytes: number;
  /** What came of it. */
  readonly note: string;
}

/** How much is measured: so many series take turns, for so many rounds. */
export interface Load {
  readonly series: number;
  readonly rounds: number;
}

const WARM_UP = 220;

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

/** The cost of one detector. */
export function detectorCost(name: string, options: DetectorOptions | undefined, load: Load): Cost {
  const create = detectorFactory(name, options);
  const before = usedBytes();
  const detectors: Detector[] = Array.from({ length: load.series }, create);
  const bytes = (usedBytes() - before) / load.series;
  let anomalies = 0;
  const warmed = (id: number) => detectors[id]!.warm?.() ?? 0;
  const ns = nsOfAReading(load, warmed, (id, round) => {
    const value = wave[(round + id * 7919) & 0xffff]!;
    if (detectors[id]!.judge(value, round * 1000).anomaly) anomalies++;
  });
  const snapshot = serialize(detectors[0]!.snapshot()).length;
  return { ns, bytes, note: `${anomalies} anomalies, snapshot ${snapshot} B` };
}

/** The cost of a vector in a detector of several series; `bytes` are those of a group. */
export function jointDetectorCost(name: string, channels: number, load: Load): Cost {
  const create = jointDetectorFactory(name);
  const groups = { series: Math.max(1, Math.floor(load.series / channels)), rounds: load.rounds };
  const before = usedBytes();
  const detectors = Array.from({ length: groups.series }, () => {
    const detector = create();
    for (let channel = 0; channel < channels; channel++) detector.addChannel();
    return detector;
  });
  const bytes = (usedBytes() - before) / groups.series;
  const values = new Float64Array(channels);
  let anomalies = 0;
  const ns = nsOfAReading(
    groups,
    () => 0,
    (id, round) => {
      for (let channel = 0; channel < channels; channel++) {
        values[channel] = wave[(round + id * 7919 + channel * 104_729) & 0xffff]!;
      }
      if (detectors[id]!.judge(values, round * 1000).anomaly) anomalies++;
    },
  );
  const snapshot = serialize(detectors[0]!.snapshot()).length;
  return { ns, bytes, note: `${groups.series} groups, ${anomalies} anomalies, snapshot ${snapshot} B` };
}

/** The cost of the whole stage with some rules. */
export function stageCost(rules: ConstructorParameters<typeof DetectStage>[0]['rules'], load: Load): Cost {
  const registry = new SeriesRegistry();
  const readings: { -readonly [Name in keyof Reading]: Reading[Name] }[] = [];
  for (let id = 0; id < load.series; id++) {
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
  const warmed = (id: number) => stage.warm(readings[id]!.series);
  const ns = nsOfAReading(load, warmed, (id, round) => {
    const reading = readings[id]!;
    reading.value = wave[(round + id * 7919) & 0xffff]!;
    reading.sourceTime = round * 1000;
    stage.process(reading, emit);
  });
  const bytes = (usedBytes() - before) / load.series;
  return { ns, bytes, note: `${results} results, ${stage.activeAlarms().length} active alarms` };
}

/** @param warmed reads what is needed of a series: some at once, as the analysis does */
function nsOfAReading(
  { series, rounds }: Load,
  warmed: (id: number) => number,
  judge: (id: number, round: number) => void,
): number {
  let read = 0;
  const run = (from: number, count: number) => {
    for (let round = from; round < from + count; round++) {
      for (let id = 0; id < series; id++) {
        if (id % WARMED_AT_ONCE === 0) {
          for (let next = id; next < Math.min(id + WARMED_AT_ONCE, series); next++) read += warmed(next);
        }
        judge(id, round);
      }
    }
  };
  run(0, WARM_UP);
  const started = process.cpuUsage();
  run(WARM_UP, rounds);
  const { user, system } = process.cpuUsage(started);
  // Always so: it is asked only for the sake of what was read.
  return read === Number.POSITIVE_INFINITY ? read : ((user + system) * 1000) / (rounds * series);
}

function usedBytes(): number {
  if (globalThis.gc === undefined) return Number.NaN;
  // Once is not enough for the memory behind typed arrays.
  for (let i = 0; i < 3; i++) globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
