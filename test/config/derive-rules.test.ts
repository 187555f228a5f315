import { expect, test } from 'vitest';
import { briefly, configurationOf, problemsOf } from './load-text.ts';

test('a derivation takes its metric from its name where it has none', () => {
  const text = 'derive: [{ name: fahrenheit, series: "*/t", value: value * 9 / 5 + 32 }]';
  expect(configurationOf(text).derive).toEqual([
    { name: 'fahrenheit', series: '*/t', metric: 'fahrenheit', unit: undefined, value: 'value * 9 / 5 + 32' },
  ]);
});

test('a metric that no series can have is refused, as it would have no readings', () => {
  const more = String.raw`metric: "x\ny", value: `;
  const text = `derive: [{ name: a, series: "*/t", ${more}value }]\njoin: [{ name: b, left: "*/l", right: "*/r", within: 1s, ${more}left }]`;
  expect(briefly(problemsOf(text))).toEqual([
    String.raw`1:44 derive[0].metric: the metric "x\ny" has a control character or is not valid Unicode`,
    String.raw`2:66 join[0].metric: the metric "x\ny" has a control character or is not valid Unicode`,
  ]);
});

test('an expression that does not type is refused at its place in the line, with the names there are', () => {
  const text = `derive:
  - { name: a, series: "*/t", value: 1 + volume }
  - { name: b, series: "*/t", value: "device + value" }
  - { name: c, series: "*/t", value: 'value >= (3' }
  - { name: d, series: "*/t", value: device }
  - name: e
    series: "*/t"
    value: |
      value +
      device
  - { name: a, series: "*/t" }
`;
  const problems = problemsOf(text);
  expect(briefly(problems)).toEqual([
    '2:42 derive[0].value: unknown variable: volume',
    '3:39 derive[1].value: no such overload: text + number',
    '4:50 derive[2].value: expected ), got the end',
    '5:38 derive[3].value: it gives a text',
    '8:12 derive[4].value: no such overload: number + text',
    '11:5 derive[5].value: is missing',
    '11:13 derive[5].name: the name "a" is taken by derive[0]',
  ]);
  expect(problems[0]?.hint).toContain('names: value, device, metric, tags.NAME; functions: abs, ');
});

test('a cycle among derivations is refused, and named', () => {
  const text = `derive:
  - { name: there, series: "press-1/t", metric: u, value: value + 1 }
  - { name: beside, series: "*/u", value: value }
  - { name: back, series: "*/u", metric: t, value: value - 1 }
`;
  const problems = problemsOf(text);
  expect(briefly(problems)).toEqual([
    '2:28 derive[0].series: a cycle: derive:there → derive:back → derive:there: each reads what the one before derives',
  ]);
  expect(problems[0]?.hint).toBe('name more narrowly what it reads, or give what it derives another metric');
  expect(briefly(problemsOf('derive: [{ name: all, series: "*", value: value }]'))).toEqual([
    expect.stringMatching(/^1:31 derive\[0\]\.series: a cycle: derive:all → derive:all: /),
  ]);
});
