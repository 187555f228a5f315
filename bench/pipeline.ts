/**
 * How many readings a second the pipeline takes on one core, and how many bytes of state a series has: 5 000 series interleaved (500 devices
 * of 10), one reading a second each, through each part alone and through several together.
 *
 *     node --expose-gc bench/pipeline.ts
 */
import { SeriesRegistry } from '../gateway/base/series-registry.ts';
import { Quality } from '../gateway/core/quality.ts';
import type { Reading } from '../gateway/core/reading.ts';
import type { Result } from '../gateway/core/result.ts';
import type { Stage } from '../gateway/core/stage.ts';
import { DetectStage } from '../gateway/detect/detect-stage.ts';
import { Deduplicator } from '../gateway/pipeline/deduplicate.ts';
import { Derivation, type SeriesAccess } from '../gateway/pipeline/derive/derivation.ts';
import { Tables } from '../gateway/pipeline/enrich/tables.ts';
import { Join } from '../gateway/pipeline/join/join.ts';
import { Normaliser } from '../gateway/pipeline/normalise.ts';
import type { OrderedSettings } from '../gateway/pipeline/windows/ordered-definition.ts';
import { OrderedWindowStage } from '../gateway/pipeline/windows/ordered-window-stage.ts';
import type { WindowSettings } from '../gateway/pipeline/windows/window-definition.ts';
import { WindowStage } from '../gateway/pipeline/windows/window-stage.ts';
import { WARMED_AT_ONCE, warm } from '../gateway/runtime/warm.ts';

const SERIES = 5000;
const SECONDS = 200;
const START = Date.UTC(2026, 0, 1);

const registry = new SeriesRegistry();
const series = Array.from({ length: SERIES }, (_, i) => {
  const made = registry.intern({ device: `device-${Math.floor(i / 10)}`, metric: `metric_${i % 10}` });
  if (typeof made === 'string') throw new Error(made);
  return made;
});

let results = 0;
const emit = (_: Result) => {
  results++;
};

const outlet = {
  derive: () => {
    results++;
  },
  fail: (reason: string) => {
    throw new Error(reason);
  },
};
const access: SeriesAccess = {
  find: (key) => registry.get(key),
  derive: (identity, unit) => registry.derive(identity, unit),
  tables: new Tables([]),
};

const FIVE = ['count', 'mean', 'min', 'max', 'stddev'];
const MINUTE: WindowSettings = {
  name: 'minute',
  series: '*',
  window: { tumblingMs: 60_000, allowedLatenessMs: 10_000 },
  aggregates: FIVE,
};
const OTHERS: readonly WindowSettings[] = [
  {
    name: 'hops',
    series: '*',
    window: { hoppingMs: 60_000, everyMs: 20_000, allowedLatenessMs: 0 },
    aggregates: ['mean', 'max'],
  },
  {
    name: 'session',
    series: '*',
    window: { sessionGapMs: 30_000, allowedLatenessMs: 0 },
    aggregates: ['count', 'time_mean', 'integral'],
  },
];

function windowStage(windows: readonly WindowSettings[]): Stage {
  return new WindowStage({
    windows,
    time: { outOfOrdernessMs: 1000, idleTimeoutMs: 30_000 },
    findSeries: (key) => registry.get(key),
  });
}

/** Windows that readings end: what is beside a tumbling window of the same aggregates the cost of their kind. */
const ORDERED: readonly (readonly [string, OrderedSettings['window']])[] = [
  ['windows of 60 readings, the same aggregates ', { count: 60 }],
  ['windows of a state, the same aggregates     ', { while: { above: 20.5, until: 20.25 } }],
  ['windows that slide over 10 s, the same      ', { slidingMs: 10_000 }],
];

function orderedStage(window: OrderedSettings['window']): Stage {
  return new OrderedWindowStage({
    windows: [{ name: 'ordered', series: '*', window, aggregates: FIVE }],
    time: { outOfOrdernessMs: 1000, idleTimeoutMs: 30_000 },
    findSeries: (key) => registry.get(key),
  });
}

function usedBytes(): number {
  // Once is not enough for the memory behind typed arrays.
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/**
 * Readings are made for one second at a time, outside the time that is measured.
 *
 * @param stages those that are warmed, as the analysis does
 * @param beside what one takes in the tumbling window, in nanoseconds, where it is to be compared with that
 * @returns what one takes, in nanoseconds
 */
function measure(
  name: string,
  take: (reading: Reading) => void,
  { stages = [], beside }: { readonly stages?: readonly Stage[]; readonly beside?: number } = {},
): number {
  const before = usedBytes();
  let busyMs = 0;
  results = 0;
  let seed = 1;
  for (let second = 0; second < SECONDS; second++) {
    const batch = series.map((one, i): Reading => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      const sourceTime = START + second * 1000 + i / 5;
      const value = 20 + seed / 2 ** 32;
      return { series: one, source: 'bench', value, quality: Quality.good, sourceTime, receiveTime: sourceTime };
    });
    const began = performance.now();
    for (let i = 0; i < batch.length; i++) {
      if (stages.length > 0 && i % WARMED_AT_ONCE === 0) warm(stages, batch, i);
      take(batch[i]!);
    }
    busyMs += performance.now() - began;
  }
  const count = SERIES * SECONDS;
  const bytes = globalThis.gc === undefined ? '?' : Math.round((usedBytes() - before) / SERIES);
  const ns = (busyMs / count) * 1e6;
  const line = `${name}: ${(count / busyMs / 1000).toFixed(2)} M readings/s, ${ns.toFixed(0)} ns each, ${results} results, ${bytes} B a series`;
  const ratio = beside === undefined ? '' : `, ${(ns / beside).toFixed(1)} × the tumbling window`;
  process.stdout.write(`${line}${ratio}\n`);
  return ns;
}

for (let round = 1; round <= 2; round++) {
  process.stdout.write(`round ${round} of 2\n`);
  const normaliser = new Normaliser([{ series: '*/metric_1', scale: 2 }]);
  measure('  normalise                                   ', (r) => {
    const reason = normaliser.normalise(r.series, r.value, r.quality, r.sourceTime, r.receiveTime);
    if (reason !== undefined) throw new Error(reason);
  });

  const deduplicator = new Deduplicator(65_536);
  measure('  deduplicate                                 ', (r) => {
    if (deduplicator.isDuplicate(r)) throw new Error('a new reading was taken for a duplicate');
  });

  const derivation = new Derivation({ name: 'd', series: '*', metric: 'd', value: 'value * 9 / 5 + 32' }, access);
  measure('  derived by an expression                    ', (r) => {
    derivation.process(r, outlet);
  });

  const join = new Join(
    {
      name: 'j',
      left: '*',
      right: '*/metric_0',
      on: ['device'],
      kind: { withinMs: 500 },
      waitMs: 30_000,
      outOfOrdernessMs: 1000,
      metric: 'j',
      value: 'left * right',
    },
    access,
  );
  measure('  ten series joined with one by an interval   ', (r) => {
    join.process(r, outlet);
  });
  const minute = windowStage([MINUTE]);
  const beside = measure('  a tumbling window, five aggregates          ', (r) => {
    minute.process(r, emit);
  });

  const deduplicated = new Deduplicator(65_536);
  const stage = windowStage([MINUTE]);
  measure('  deduplicated, the same window               ', (r) => {
    if (!deduplicated.isDuplicate(r)) stage.process(r, emit);
  });

  const three = windowStage([MINUTE, ...OTHERS]);
  const detection = new DetectStage({ rules: [{ series: '*', detector: 'novelty' }] });
  measure(
    '  tumbling, hopping and session, and novelty  ',
    (r) => {
      three.process(r, emit);
      detection.process(r, emit);
    },
    { stages: [three, detection] },
  );

  for (const [name, window] of ORDERED) {
    const ordered = orderedStage(window);
    const take = (r: Reading) => {
      ordered.process(r, emit);
    };
    measure(`  ${name}`, take, { beside });
  }
}
