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
rollups:
  - { name: minute, from: ten, window: { tumbling: ${ROLLUP_MS}ms } }
detect:
  - { series: "*/load", detector: range, max: ${LOAD_LIMIT}, alarm: { severity: warning, hold: ${HOLD_MS}ms, delay: 0s, hysteresis: 0 } }
`;

/** Smaller than a file may ask for, so that logs roll, fill up and are trimmed within minutes. */
const SMALL_BYTES = 64 * 1024;
const LARGE_BYTES = 1024 * 1024;

/** A configuration with bounds so small that everything happens that takes months on a box. */
export function drawConfiguration(random: () => number, { whenFull }: Climate): Configuration {
  const configuration = configurationOf(TEXT);
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
