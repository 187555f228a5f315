import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_CHANNELS } from '../../../../gateway/detect/together/joint-detector.ts';
import { jointDetectorFactory } from '../../../../gateway/detect/together/joint-detectors.ts';
import {
  MahalanobisDetector,
  type MahalanobisOptions,
  mahalanobisSettings,
} from '../../../../gateway/detect/together/mahalanobis.ts';
import { MAX_SCORE } from '../../../../gateway/detect/verdict.ts';
import { cleanSensor } from '../detectors/clean-plant.ts';
import { seededRandom } from '../seeded-random.ts';

const seed = Date.now() & 0x7fffffff;
process.stdout.write(`mahalanobis seed ${seed}\n`);

function detectorOf(channels: number, options: MahalanobisOptions = {}): MahalanobisDetector {
  const detector = new MahalanobisDetector(mahalanobisSettings(options));
  for (let i = 0; i < channels; i++) detector.addChannel();
  return detector;
}

/** Load, and what follows from it: current and heat; each with noise of its own. */
function machine(random: () => number): (i: number, current?: number) => number[] {
  const noise = () => random() + random() + random() - 1.5;
  return (i, factor = 2) => {
    const load = 50 + 10 * Math.sin(i / 40) + noise();
    return [load, factor * load + noise(), 20 + 0.3 * load + noise()];
  };
}

/** The moments at which there is an anomaly. */
function anomalies(
  detector: MahalanobisDetector,
  count: number,
  valuesAt: (i: number) => readonly number[],
  from = 0,
): number[] {
  return Array.from({ length: count }, (_, i) => i + from).filter(
    (i) => detector.judge(Float64Array.from(valuesAt(i)), i * 1000).anomaly,
  );
}

test('channels that part are an anomaly though each is within what it always was', () => {
  const at = machine(seededRandom(1));
  const detector = detectorOf(3);
  expect(anomalies(detector, 8000, (i) => at(i))).toEqual([]);
  // The current goes down where the load goes up.
  const parted = anomalies(detector, 200, (i) => at(i).with(1, 200 - at(i)[1]!), 8000);
  expect(parted.length).toBeGreaterThan(100);
});

test('the channel that moved leads, with most of what is strange, and what the others say it should be is told', () => {
  const at = machine(seededRandom(2));
  const detector = detectorOf(3);
  anomalies(detector, 8000, (i) => at(i));
  expect(anomalies(detector, 200, (i) => at(i, 2.6), 8000).length).toBeGreaterThan(100);
  expect(detector.leader).toBe(1);
  expect(detector.shareOf(1)).toBeGreaterThan(0.6);
  expect([0, 1, 2].map((place) => detector.shareOf(place)).reduce((a, b) => a + b)).toBeCloseTo(1, 9);
  const average = Number(/^is [\d.]+ A, on average (.*)$/.exec(detector.seen('A'))![1]);
  const [, low, high] = /^between (.*) and (.*)$/.exec(detector.expected())!.map(Number);
  expect(low).toBeLessThan(high!);
  expect(average).toBeGreaterThan(high!);
});

test('an anomaly is not learnt, ends when things are as before, and its score is at least 1 while it lasts', () => {
  const at = machine(seededRandom(3));
  const detector = detectorOf(3);
  anomalies(detector, 4000, (i) => at(i));
  const during: number[] = [];
  for (let i = 4000; i < 5000; i++) {
    const { score, anomaly } = detector.judge(Float64Array.from(at(i, 2.6)), i * 1000);
    if (anomaly) during.push(score);
  }
  expect(during.length).toBeGreaterThan(950);
  expect(Math.min(...during)).toBeGreaterThanOrEqual(1);
  const after = anomalies(detector, 1000, (i) => at(i), 5000);
  expect(after.length).toBeLessThan(60);
  expect(after.at(-1)).toBeLessThan(5060);
});

test('what is strange for the stated time is the new normal', () => {
  const at = machine(seededRandom(4));
  const detector = detectorOf(3, { relearnAfterMs: 600_000 });
  anomalies(detector, 4000, (i) => at(i));
  const strange = anomalies(detector, 4000, (i) => at(i, 2.6), 4000);
  expect(strange.length).toBeGreaterThan(550);
  expect(strange.at(-1)).toBeLessThan(4000 + 700);
});

test('what a person says is fine is normal at once', () => {
  const at = machine(seededRandom(11));
  const detector = detectorOf(3);
  anomalies(detector, 4000, (i) => at(i));
  expect(detector.accept(), 'there is nothing to accept').toBe(false);
  expect(anomalies(detector, 100, (i) => at(i, 4), 4000).length).toBeGreaterThan(50);
  expect(detector.accept()).toBe(true);
  expect(anomalies(detector, 2000, (i) => at(i, 4), 4100)).toEqual([]);
});

test('a state that lasts as long as the one before it is as good a normal', () => {
  const at = machine(seededRandom(5));
  const detector = detectorOf(3);
  const strange = anomalies(detector, 2500, (i) => at(i, i < 300 ? 2 : 8));
  expect(strange.length).toBeGreaterThan(200);
  expect(strange.at(-1)).toBeLessThan(700);
});

test('a channel that wanders neither begins nor keeps an anomaly', () => {
  const random = seededRandom(6);
  const at = machine(random);
  let heat = 20;
  const wandering = (i: number, factor?: number) => {
    heat += (random() - 0.5) / 5;
    return at(i, factor).with(2, heat);
  };
  const detector = detectorOf(3);
  const before = anomalies(detector, 10_000, (i) => wandering(i));
  expect(before.length).toBeLessThan(100);
  expect(anomalies(detector, 500, (i) => wandering(i, 2.6), 10_000).length).toBeGreaterThan(400);
  expect(anomalies(detector, 500, (i) => wandering(i), 10_500).length).toBeLessThan(60);
});

test('unit, offset and sign of a channel make no difference', () => {
  const at = machine(seededRandom(7));
  const values = Array.from({ length: 3000 }, (_, i) => at(i, i > 2500 ? 4 : 2));
  const judged = (map: (value: number, place: number) => number) => {
    const detector = detectorOf(3);
    return values.map((row, i) => detector.judge(Float64Array.from(row.map(map)), i * 1000).score);
  };
  const scores = judged((value) => value);
  const mapped = judged((value, place) => [-8, 1024, 0.25][place]! * value);
  expect(Math.max(...scores)).toBeGreaterThan(1);
  mapped.forEach((score, i) => {
    expect(score).toBeCloseTo(scores[i]!, 6);
  });
});

test('a channel that says nothing is left out, and one that comes later is learnt first', () => {
  const at = machine(seededRandom(8));
  const detector = detectorOf(3);
  const silent = (i: number) => at(i).with(2, i < 4000 || i % 3 === 0 ? Number.NaN : at(i)[2]!);
  expect(anomalies(detector, 8000, silent)).toEqual([]);
  expect(anomalies(detector, 200, (i) => at(i, 2.6).with(2, Number.NaN), 8000).length).toBeGreaterThan(100);
  expect(detector.judge(Float64Array.from([Number.NaN, Number.NaN, Number.NaN]), 9e6)).toEqual({
    score: 0,
    anomaly: false,
    learning: true,
  });
});

test('a wild reading is soon forgotten, and blinds for nothing, also among the first', () => {
  for (const when of [5, 1000]) {
    const at = machine(seededRandom(12));
    const detector = detectorOf(3);
    const wild = (i: number) => (i === when ? [1e308, -1e308, 1e300] : at(i));
    expect(anomalies(detector, 6000, wild).length).toBeLessThan(20);
    expect(anomalies(detector, 100, (i) => at(i, 3), 6000).length).toBeGreaterThan(60);
  }
});

test('what ends is soon seen to be over, however far away it was', () => {
  const at = machine(seededRandom(13));
  const detector = detectorOf(3);
  anomalies(detector, 4000, (i) => at(i));
  anomalies(detector, 200, (i) => at(i, 1e6), 4000);
  expect(anomalies(detector, 500, (i) => at(i), 4200).length).toBeLessThan(80);
});

test('constants, and a switch between two values, are no anomalies', () => {
  const detector = detectorOf(3);
  const quiet = (i: number) => [7, Number(i % 17 < 9), i < 3000 ? 5 : 6];
  expect(anomalies(detector, 6000, quiet)).toEqual([]);
});

test.each([60_000, 10_000])(
  'two hundred clean sensors in groups of eight raise no anomaly in a day of a reading every %i ms',
  (stepMs) => {
    const random = seededRandom(stepMs + 8);
    let anomalous = 0;
    for (let group = 0; group < 25; group++) {
      const sensors = Array.from({ length: 8 }, () => cleanSensor(random, stepMs));
      const detector = detectorOf(8);
      const values = new Float64Array(8);
      for (let time = 0; time < 86_400_000; time += stepMs) {
        for (let place = 0; place < 8; place++) values[place] = sensors[place]!();
        if (detector.judge(values, 1.7e12 + time).anomaly) anomalous++;
      }
    }
    expect(anomalous).toBe(0);
  },
);

test('twenty clean machines raise no anomaly in a day of a reading every ten seconds', () => {
  for (let one = 0; one < 20; one++) {
    const at = machine(seededRandom(100 + one));
    expect(anomalies(detectorOf(3), 8640, (i) => at(i))).toEqual([]);
  }
});

/** What sensors say on a bad day; NaN is nothing. */
const value = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ min: -10, max: 10, noNaN: true }),
  fc.integer({ min: 0, max: 1 }),
  fc.constantFrom(Number.NaN, 0, -0, 5e-324, 1e308, -1e308, Number.MAX_VALUE, -Number.MAX_VALUE),
);
const stretch = fc.record({
  values: fc.array(value, { minLength: 3, maxLength: 3 }),
  stepMs: fc.oneof(fc.constantFrom(0.001, 1000), fc.double({ min: 0.001, max: 1e12, noNaN: true })),
  times: fc.integer({ min: 1, max: 40 }),
  noise: fc.constantFrom(0, 0, 1e-3, 1),
  isCollinear: fc.boolean(),
});
type Moment = readonly [values: Float64Array, stepMs: number];
const moments = fc.array(stretch, { maxLength: 25 }).map((stretches) =>
  stretches.flatMap(({ values, stepMs, times, noise, isCollinear }) =>
    Array.from({ length: times }, (_, i): Moment => {
      const wobble = noise * Math.sin(i * 12.9898);
      const row = values.map((one, place) => (isCollinear ? values[0]! : one) + wobble * (isCollinear ? 1 : place));
      return [Float64Array.from(row, (one) => (Number.isFinite(one) ? one : Number.NaN)), stepMs];
    }),
  ),
);

function run(detector: MahalanobisDetector, rows: readonly Moment[], from: number): string[] {
  let time = from;
  return rows.map(([values, after]) => {
    time += after;
    const { score, anomaly, learning } = detector.judge(values, time);
    expect(score).toBeGreaterThanOrEqual(0);
    expect(score).toBeLessThanOrEqual(MAX_SCORE);
    if (anomaly) expect(score).toBeGreaterThanOrEqual(1);
    expect(anomaly && learning).toBe(false);
    const words = `${detector.expected()} ${detector.seen('V')} ${detector.shareOf(detector.leader)}`;
    expect(words).not.toMatch(/NaN|Infinity|undefined/);
    return learning ? 'learning' : `${score} ${anomaly} ${score > 0 ? detector.leader : 0}`;
  });
}

const VARIANTS: readonly MahalanobisOptions[] = [
  {},
  { smooth: 1, memory: 50, warmUp: 20, threshold: 0.1 },
  { smooth: 3, warmUp: 30, relearnAfterMs: 1 },
];

for (const options of VARIANTS) {
  const title = JSON.stringify(options);

  test(`${title} judges anything: finite scores, no anomaly below 1 or while learning`, () => {
    fc.assert(
      fc.property(moments, (rows) => {
        run(detectorOf(3, options), rows, 0);
      }),
      { seed, numRuns: 150 },
    );
  });

  test(`${title} stopped at any moment and resumed from its snapshot judges as if it had never stopped`, () => {
    fc.assert(
      fc.property(moments, fc.nat(), (rows, at) => {
        const cut = rows.length === 0 ? 0 : at % rows.length;
        const whole = run(detectorOf(3, options), rows, 0);
        const first = detectorOf(3, options);
        run(first, rows.slice(0, cut), 0);
        const second = detectorOf(0, options);
        second.restore(deserialize(serialize(first.snapshot())));
        const elapsed = rows.slice(0, cut).reduce((time, [, after]) => time + after, 0);
        expect(run(second, rows.slice(cut), elapsed)).toEqual(whole.slice(cut));
      }),
      { seed, numRuns: 100 },
    );
  });
}

test('its state is bounded: it grows with the channels, not with what they say', () => {
  const detector = detectorOf(MAX_CHANNELS);
  const bytes = serialize(detector.snapshot()).length;
  const random = seededRandom(9);
  anomalies(detector, 2000, () => Array.from({ length: MAX_CHANNELS }, random));
  expect(serialize(detector.snapshot()).length).toBe(bytes);
  expect(bytes).toBeLessThan(8000);
});

test('a snapshot of another detector, version or size is refused with what to do', () => {
  const snapshot = detectorOf(3).snapshot() as Record<string, unknown>;
  const wrong = [undefined, 7, {}, { ...snapshot, version: 0 }, { ...snapshot, covariances: new Float64Array(5) }];
  for (const one of wrong) expect(() => detectorOf(0).restore(one)).toThrow('Cannot restore a mahalanobis detector');
  expect(() => detectorOf(4).restore(snapshot)).toThrow('another version or size');
});

test('a documented default is the one that is taken, and a wrong option is told', () => {
  const at = machine(seededRandom(10));
  const silent = jointDetectorFactory('mahalanobis')();
  const explicit = jointDetectorFactory('mahalanobis', {
    smooth: 20,
    memory: 4000,
    warmUp: 200,
    threshold: 5,
    relearnAfterMs: 3_600_000,
  })();
  for (const one of [silent, explicit]) for (let i = 0; i < 3; i++) one.addChannel();
  for (let i = 0; i < 3000; i++) {
    const values = Float64Array.from(at(i, i > 2000 ? 2.6 : 2));
    expect(explicit.judge(values, i)).toEqual(silent.judge(values, i));
  }
  expect(() => jointDetectorFactory('mahalanobis', { smoooth: 3 })).toThrow('no option "smoooth"');
  expect(() => jointDetectorFactory('auto')).toThrow('no detector of several series'.replace('no', 'Cannot find a'));
});
