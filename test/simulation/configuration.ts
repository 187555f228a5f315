import type { Configuration } from '../../config/configuration.ts';
import { configurationOf } from '../config/load-text.ts';
import type { Climate } from './climate.ts';
import { HOLD_MS, ROLLUP_MS, WINDOW_MS } from './expected.ts';
import { LOAD_LIMIT } from './workload.ts';

const TEXT = `
gateway: { name: box }
storage: { path: /box, keepFree: 0 }
time: { outOfOrderness: 2s, idleTimeout: 5s, maxFuture: 12h, syncWait: 60s }
sources:
  - name: floor
    type: mqtt
    listen: 127.0.0.1:1883
    readings:
      - { topic: s/_/_, template: _/device/metric, json: { value: value, time: time, timeUnit: ms, text: true } }
windows:
  - { name: ten, series: "*", window: { tumbling: ${WINDOW_MS}ms, allowedLateness: 6h }, aggregates: [count, sum, min, max] }
`;

const OPERATORS = {
  windows: `
  - { name: early, series: "*/level", window: { hopping: 20s, every: 5s, allowedLateness: 1m }, early: 3s, late: store, aggregates: [count, mean, p95, integral] }
  - { name: session, series: "*/double", window: { session: 4s, allowedLateness: 20s }, aggregates: [count, stddev] }
  - { name: seven, series: "*/load", window: { count: 7, every: 3 }, early: 4s, aggregates: [mean, last] }
  - { name: high, series: "*/load", window: { while: { above: 60, until: 20 } }, early: 5s, late: store, aggregates: [count, max] }
  - { name: sliding, series: "*/load", window: { sliding: 6s }, late: store, aggregates: [sum, median] }
`,
  others: `
derive:
  - { name: double, series: "*/load", value: value * 2 }
  - { name: share, series: "*/double", value: value / (value - 80) }
join:
  - { name: near, left: "*/load", right: "*/level", on: device, within: 1s, value: left + right, wait: 3s }
  - { name: lately, left: "*/near", right: "*/venom", on: device, asOf: 60s, value: left - right }
  - { name: both, left: "*/load", right: "*/untimed", on: device, tumbling: 10s, aggregate: sum, value: left / right }
  - { name: ratio, left: "*/double", right: "*/level", on: device, tumbling: 10s, aggregate: mean, value: left / right }
reduce:
  - { series: "*/double", swingingDoor: 30, atLeastEvery: 30s }
  - { series: "*/share", deadband: 0.5 }
`,
  detect: `  - { series: "*/level", detector: heartbeat, after: 8s, alarm: { severity: info, hold: 1s } }
  - { series: "*", detector: heartbeat, alarm: { severity: info } }
  - { series: "*/double", detector: zscore, warmUp: 30, alarm: { severity: warning, hold: 1s } }
  - { together: ["*/load", "*/level", "*/double"], detector: mahalanobis, smooth: 4, warmUp: 30, threshold: 0.1, maxAge: 20s, alarm: { severity: info, hold: 2s } }
  - { series: "*/near", detector: rate-of-change, maxPerSecond: 50, alarm: { severity: critical, hold: 3s } }
`,
};

const ROLLUPS = `
rollups:
  - { name: minute, from: ten, window: { tumbling: ${ROLLUP_MS}ms } }
`;

const DETECT = `
detect:
  - { series: "*/load", detector: range, max: ${LOAD_LIMIT}, alarm: { severity: warning, hold: ${HOLD_MS}ms, delay: 0s, hysteresis: 0 } }
`;

/** Smaller than a file may ask for, so that logs roll, fill up and are trimmed within minutes. */
const SMALL_BYTES = 64 * 1024;
const LARGE_BYTES = 1024 * 1024;

/** A configuration with bounds so small that everything happens that takes months on a box. */
export function drawConfiguration(random: () => number, { whenFull, hasOperators }: Climate): Configuration {
  const { windows, others, detect } = OPERATORS;
  const configuration = configurationOf(
    hasOperators ? TEXT + windows + ROLLUPS + others + DETECT + detect : TEXT + ROLLUPS + DETECT,
  );
  const { storage } = configuration;
  const bytes = () => (random() < 0.5 ? SMALL_BYTES : LARGE_BYTES);
  return {
    ...configuration,
    storage: {
      ...storage,
      journal: { ...storage.journal, maxBytes: bytes() },
      outbox: { ...storage.outbox, whenFull, maxBytes: whenFull === 'block' ? bytes() : SMALL_BYTES },
      checkpointEveryMs: 1_000 + random() * 10_000,
    },
  };
}

/** The same with room for everything. */
export function withRoom(configuration: Configuration): Configuration {
  const { storage } = configuration;
  const maxBytes = 64 * 1024 * 1024;
  const outbox = { ...storage.outbox, maxBytes };
  return { ...configuration, storage: { ...storage, journal: { ...storage.journal, maxBytes }, outbox } };
}
