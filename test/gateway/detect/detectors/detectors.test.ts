import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Detector } from '../../../../gateway/core/detector.ts';
import type { DetectorOptions } from '../../../../gateway/detect/detectors/detector-kind.ts';
import {
  createDetector,
  detectorFactory,
  detectorKinds,
  detectorNames,
} from '../../../../gateway/detect/detectors/detectors.ts';
import { MAX_SCORE } from '../../../../gateway/detect/verdict.ts';

const OPTIONS: Readonly<Record<string, readonly DetectorOptions[]>> = {
  range: [{ min: -1, max: 1 }, { min: 0 }, { max: 1e-300 }],
  auto: [{}, { warmUp: 1, quiet: 2, threshold: 0.1 }],
  novelty: [{}, { window: 5, warmUp: 1, quiet: 2 }, { window: 3, warmUp: 5, forget: 0, memory: 1 }],
  zscore: [{}, { memory: 10, warmUp: 2, threshold: 0.1, relearnAfterMs: 1 }],
  mad: [{}, { window: 5, warmUp: 5, threshold: 0.1 }, { window: 255 }],
  spread: [{}, { window: 2, memory: 10, warmUp: 2, threshold: 0.1, relearnAfterMs: 1 }],
  cusum: [{}, { slack: 0, threshold: 0.1, learnForMs: 1 }],
  seasonal: [{}, { weeks: 2, threshold: 0.1, relearnAfterMs: 1, timeZone: 'Europe/Berlin' }],
  heartbeat: [{}, { atLeastMs: 1, threshold: 1 }, { afterMs: 1e-300 }],
  flatline: [{ forMs: 10 }, { forMs: 1e6, tolerance: 1 }],
  'rate-of-change': [{ maxPerSecond: 1 }, { maxPerSecond: 1e-300, overMs: 1 }],
};

test('every detector has options to be tested with', () => {
  expect(Object.keys(OPTIONS).sort()).toEqual([...detectorNames].sort());
  expect(detectorKinds.map((kind) => kind.name)).toEqual(detectorNames);
});

const seed = Date.now() & 0x7fffffff;
process.stdout.write(`detectors seed ${seed}\n`);

/** What sensors say on a bad day: constants, switches, huge, tiny and ordinary numbers. */
const value = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ min: -10, max: 10, noNaN: true }),
  fc.integer({ min: 0, max: 1 }),
  fc.constantFrom(0, -0, 5e-324, -5e-324, 1e308, -1e308, Number.MAX_VALUE, -Number.MAX_VALUE),
);
/** Times ascend in a stage; a detector must bear it where they do not. */
const step = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(0.001, 1, 1000) },
  { weight: 8, arbitrary: fc.double({ min: 0.001, max: 1e12, noNaN: true }) },
  { weight: 1, arbitrary: fc.constantFrom(0, -1, -1e6) },
);
const stretch = fc.tuple(value, step, fc.integer({ min: 1, max: 30 }));
const stream = fc
  .array(stretch, { maxLength: 40 })
  .map((stretches) => stretches.flatMap(([v, s, times]) => new Array<[number, number]>(times).fill([v, s])));

function run(detector: Detector, values: readonly (readonly [number, number])[], from: number): string[] {
  let time = from;
  return values.map(([next, after]) => {
    time += after;
    const { score, anomaly, learning } = detector.judge(next, time);
    expect(score).toBeGreaterThanOrEqual(0);
    expect(score).toBeLessThanOrEqual(MAX_SCORE);
    if (anomaly) expect(score).toBeGreaterThanOrEqual(1);
    expect(anomaly && learning).toBe(false);
    expect(detector.expected()).not.toMatch(/NaN|Infinity|undefined/);
    const judged = `${score} ${anomaly} ${learning} ${detector.expected()}`;
    // A person says of some that they were fine.
    return anomaly && Math.floor(time) % 3 === 0 ? `${judged} ${detector.accept?.()}` : judged;
  });
}

for (const [name, variants] of Object.entries(OPTIONS)) {
  for (const options of variants) {
    const title = `${name} ${JSON.stringify(options)}`;

    test(`${title} judges any finite values: finite scores, no anomaly below 1 or while learning`, () => {
      fc.assert(
        fc.property(stream, (values) => {
          run(createDetector(name, options), values, 0);
        }),
        { seed, numRuns: 60 },
      );
    });

    test(`${title} stopped at any value and resumed from its snapshot judges as if it had never stopped`, () => {
      fc.assert(
        fc.property(stream, fc.nat(), (values, at) => {
          const cut = values.length === 0 ? 0 : at % values.length;
          const whole = run(createDetector(name, options), values, 0);
          const first = createDetector(name, options);
          run(first, values.slice(0, cut), 0);
          const second = createDetector(name, options);
          second.restore(deserialize(serialize(first.snapshot())));
          const elapsed = values.slice(0, cut).reduce((time, [, after]) => time + after, 0);
          expect(run(second, values.slice(cut), elapsed)).toEqual(whole.slice(cut));
        }),
        { seed, numRuns: 60 },
      );
    });

    test(`${title} has a state whose size does not grow with what it has seen`, () => {
      const detector = createDetector(name, options);
      for (let i = 0; i < 1000; i++) detector.judge(Math.sin(i) * i, i * 1000 + 0.5);
      const bytes = serialize(detector.snapshot()).length;
      for (let i = 1000; i < 20_000; i++) detector.judge(Math.sin(i) * i, i * 1000 + 0.5);
      expect(serialize(detector.snapshot()).length).toBe(bytes);
    });
  }
}

test('detectors of one factory share no state', () => {
  const create = detectorFactory('novelty', { window: 5, warmUp: 5 });
  const [one, other] = [create(), create()];
  for (let i = 0; i < 100; i++) one.judge(i % 3, i);
  expect(one.judge(99, 100).anomaly).toBe(true);
  expect(other.judge(99, 0)).toEqual({ score: 0, anomaly: false, learning: true });
});

function failure(name: string, options?: DetectorOptions): { message: string; hint: string | undefined } {
  try {
    createDetector(name, options);
  } catch (error) {
    const { message, hint } = error as { message: string; hint: string | undefined };
    return { message, hint };
  }
  throw new Error('it was accepted');
}

test('an unknown detector or option is told with the names there are', () => {
  expect(failure('novlety')).toEqual({
    message: 'Cannot find a detector named "novlety"',
    hint: `the detectors are ${detectorNames.join(', ')}; for several series together mahalanobis`,
  });
  expect(failure('range', { minimum: 1 })).toEqual({
    message: 'Cannot make the detector range: it has no option "minimum"',
    hint: 'its options are min, max',
  });
  expect(failure('range', JSON.parse('{"__proto__": 1}')).message).toContain('no option "__proto__"');
});

test('a missing or impossible option is told with what is allowed', () => {
  expect(failure('flatline')).toEqual({
    message: 'Cannot make the detector flatline: its option for is missing',
    hint: 'for: how long without a change',
  });
  expect(failure('novelty', { window: 256 })).toEqual({
    message: 'Cannot make the detector novelty: its option window is 256',
    hint: 'it must be a whole number, at least 3 and at most 255',
  });
  expect(failure('novelty', { window: 10.5 }).message).toContain('window is 10.5');
  expect(failure('novelty', { threshold: 0 }).hint).toBe('it must be a finite number, above 0');
  expect(failure('range', { max: Number.NaN }).message).toContain('max is NaN');
  expect(failure('range').message).toContain('neither min nor max');
  expect(failure('range', { max: 'high' }).message).toBe('Cannot make the detector range: its option max is "high"');
  expect(failure('seasonal', { timeZone: 1 }).hint).toBe('it must be a text');
  expect(failure('seasonal', { timeZone: 'Mars' }).message).toContain('the time zone "Mars": it is not known');
  expect(failure('range', { min: 2, max: 1 }).message).toContain('min 2 is above its max 1');
});

test('a documented default is the one that is taken', () => {
  for (const kind of detectorKinds) {
    const [sample] = OPTIONS[kind.name]!;
    const defaults = Object.entries(kind.options).flatMap(([option, { default: value }]) =>
      value === undefined ? [] : [[option, value] as const],
    );
    const silent = createDetector(kind.name, sample);
    const explicit = createDetector(kind.name, { ...Object.fromEntries(defaults), ...sample });
    for (let i = 0; i < 2000; i++) {
      const next = Math.sin(i / 20) * (i % 500 === 499 ? 9 : 1);
      expect(explicit.judge(next, i * 700)).toEqual(silent.judge(next, i * 700));
    }
  }
});
