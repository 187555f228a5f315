import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AnalysisBench, configurationOf, play, START, step, told } from './analysis-bench.ts';

const DERIVE = [
  '{ name: twice, series: "*/a", value: value * 2 }',
  '{ name: half, series: "*/twice", value: value / 4 }',
  '{ name: far, series: "*/level", value: value + 1 }',
];
const JOIN = [
  '{ name: product, left: "*/half", right: "*/b", on: device, within: 1s, value: left * right, wait: 6s }',
  '{ name: level, left: "*/product", right: "*/state", on: device, asOf: 30s, value: left - right }',
  '{ name: share, left: "*/far", right: "*/product", on: device, tumbling: 10s, aggregate: sum, value: left - right }',
];

/** Each derives from what the one before it derives: there is one order in which all come after what they read. */
function fileOf(derive: readonly string[], join: readonly string[]): string {
  return `
storage: { path: /tmp }
time: { outOfOrderness: 2s, idleTimeout: 10s }
windows:
  - { name: ten, window: { tumbling: 10s, allowedLateness: 5s }, aggregates: [count, sum] }
derive:
  - ${derive.join('\n  - ')}
join:
  - ${join.join('\n  - ')}
`;
}

test('what is derived does not depend on the order in the file, wherever the clock is set', () => {
  const inOrder = configurationOf(fileOf(DERIVE, JOIN));
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  process.stderr.write(`stages: SEED=${seed}\n`);
  const orders = fc.tuple(
    fc.shuffledSubarray(DERIVE, { minLength: DERIVE.length }),
    fc.shuffledSubarray(JOIN, { minLength: JOIN.length }),
  );
  fc.assert(
    fc.property(orders, fc.array(step, { minLength: 100, maxLength: 300, size: 'max' }), ([derive, join], steps) => {
      const one = new AnalysisBench(inOrder);
      const other = new AnalysisBench(configurationOf(fileOf(derive, join)));
      play(steps, [one, other], ({ restart }) => restart && other.restart());
      expect(told(other.results)).toEqual(told(one.results));
      expect(new Map(other.ledger.derived())).toEqual(new Map(one.ledger.derived()));
    }),
    { seed, numRuns: 30, endOnFailure: true },
  );
});

test('a series that only windows use which readings end has a watermark, its own, whatever the device does', () => {
  const bench = new AnalysisBench(
    configurationOf(`
storage: { path: /tmp }
time: { outOfOrderness: 2s }
windows:
  - { name: ten, series: "*/b", window: { tumbling: 10s }, aggregates: [count] }
  - { name: high, series: "*/a", window: { while: { above: 3 } }, aggregates: [count] }
`),
  );
  const reading = (metric: 'a' | 'b', lag: number) => {
    bench.send({ device: 0, metric, value: 1, quality: 0, lag }, START);
  };
  reading('a', 7_000);
  expect(bench.time('d0/a;line=x')).toEqual([START - 9_000, 2_000]);
  reading('b', 1_000);
  reading('a', 5_000);
  expect(bench.time('d0/a;line=x')).toEqual([START - 7_000, 2_000]);
  expect(bench.time('d0/b;line=x')).toEqual([START - 3_000, 2_000]);
});
