import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AnalysisBench, configurationOf, play, step, told } from './analysis-bench.ts';

/** Of everything something, and as much as possible of what comes of what. */
const YAML = `
storage: { path: /tmp }
time: { outOfOrderness: 2s, maxOutOfOrderness: 8s, idleTimeout: 10s }
windows:
  - { name: ten, window: { tumbling: 10s, allowedLateness: 5s }, late: store, aggregates: [count, mean, p95, integral] }
  - { name: early, window: { hopping: 20s, every: 5s, allowedLateness: 30s }, early: 3s, aggregates: [count, last] }
  - { name: session, window: { session: 4s, allowedLateness: 20s }, early: 7s, aggregates: [count, sum] }
  - { name: some, window: { count: 7, every: 2 }, early: 4s, aggregates: [mean, last] }
  - { name: state, window: { while: { above: 3, until: 1 } }, early: 5s, late: store, aggregates: [count, max] }
  - { name: on, series: "*/text", window: { while: { equals: on } }, late: store, aggregates: [count, coverage] }
  - { name: sliding, series: "*/a", window: { sliding: 6s }, aggregates: [sum, stddev] }
rollups:
  - { name: minute, from: ten, window: { tumbling: 1m }, early: 11s }
derive:
  - { name: twice, series: "*/a", value: value * 2 + 1 }
  - { name: steep, series: "*/twice", value: value * value / (value - 5) }
join:
  - { name: product, left: "*/a", right: "*/b", on: device, within: 1s, value: left * right, wait: 6s }
  - { name: level, left: "*/product", right: "*/state", on: device, asOf: 30s, value: left - right }
  - { name: share, left: "*/a", right: "d*/a", on: line, tumbling: 10s, aggregate: sum, value: left / right }
reduce:
  - { series: "*/twice", deadband: 1, atLeastEvery: 30s }
  - { series: "*/product", swingingDoor: 3 }
  - { series: "*/b", swingingDoor: 0.5, atLeastEvery: 20s }
  - { series: "*/state", deadband: 0 }
detect:
  - { series: "*/product", detector: range, max: 50, alarm: { severity: critical, hold: 3s } }
  - { together: ["*/a", "*/b", "*/twice"], detector: mahalanobis, smooth: 2, memory: 50, warmUp: 20, threshold: 0.03, alarm: { severity: warning, hold: 3s } }
  - { together: ["*/a"], on: line, maxAge: 5s, detector: mahalanobis, smooth: 1, warmUp: 20, threshold: 0.1, alarm: { severity: info, hold: 0s } }
`;

test('whatever is configured, and wherever the clock is set: a process that is stopped and resumed gives what one gives that is not', {
  timeout: 600_000,
}, () => {
  const configuration = configurationOf(YAML);
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  process.stderr.write(`stages.property: SEED=${seed}\n`);
  fc.assert(
    fc.property(fc.array(step, { minLength: 100, maxLength: 400, size: 'max' }), (steps) => {
      const whole = new AnalysisBench(configuration);
      const resumed = new AnalysisBench(configuration);
      play(steps, [whole, resumed], (one) => one.restart && resumed.restart());
      expect(told(resumed.results)).toEqual(told(whole.results));
      expect([...resumed.ledger.derived()]).toEqual([...whole.ledger.derived()]);
      expect(resumed.ledger.total()).toEqual(whole.ledger.total());
    }),
    { seed, numRuns: Number(process.env['RUNS'] ?? 20), endOnFailure: true },
  );
});
