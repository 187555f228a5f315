import { describe, expect, test } from 'vitest';
import { briefly, configurationOf, problemsOf } from './load-text.ts';

const POWER = 'name: power, left: "*/voltage", right: "*/current", value: left * right';

describe('a join', () => {
  test('is on the device, waits as windows do and takes its metric from its name, where the file does not say', () => {
    const common = { on: ['device'], waitMs: 10_000, metric: 'power', unit: undefined, value: 'left * right' };
    const sides = { name: 'power', left: '*/voltage', right: '*/current' };
    const joinOf = (more: string) => configurationOf(`join: [{ ${POWER}, ${more} }]`).join[0];
    expect(joinOf('within: 500ms')).toEqual({ ...sides, ...common, kind: { withinMs: 500 } });
    expect(joinOf('asOf: 10m, on: site, wait: 2s')).toEqual({
      ...sides,
      ...common,
      on: ['site'],
      waitMs: 2_000,
      kind: { asOfMs: 600_000 },
    });
    expect(joinOf('tumbling: 1m, on: [device, phase], metric: p, unit: W')).toEqual({
      ...sides,
      ...common,
      on: ['device', 'phase'],
      metric: 'p',
      unit: 'W',
      kind: { tumblingMs: 60_000, aggregate: 'mean' },
    });
    expect(configurationOf(`time: { idleTimeout: 3s }\njoin: [{ ${POWER}, asOf: 1s }]`).join[0]?.waitMs).toBe(3_000);
  });

  test('that cannot be is refused at its place, with what is allowed', () => {
    const text = `join:
  - { name: a, left: "*/v", right: "*/c", value: left * right }
  - { name: b, left: "*/v", right: "*/c", value: left * right, within: 1s, asOf: 1s }
  - { name: k, left: "*/v", right: "*/c", value: left * amps, within: 1s }
  - { name: d, left: "*/v", right: "*/c", value: left * right, within: 1s, on: [] }
  - { name: e, left: "*/v", right: "*/c", value: left * right, within: 1s, on: [device, device] }
  - { name: f, left: "*/v", right: "*/v", value: left * right, within: 1s }
  - { name: g, left: "*/v/", right: "*/c", value: left * right, tumbling: 0s }
  - { name: h, left: "*/v", right: "*/c", value: left * right, tumbling: 1s, aggregate: p95 }
  - { name: k, left: "*/v", right: "*/h", value: left * right, within: 1s, on: 7 }
  - { name: h, left: "*/v", right: "*/c", value: device, asOf: 1s }
`;
    const problems = problemsOf(text);
    expect(briefly(problems)).toEqual([
      '2:5 join[0].within: is missing',
      '3:76 join[1].asOf: asOf does not go together with within',
      '4:57 join[2].value: unknown variable: amps',
      '5:80 join[3].on: is empty',
      '6:5 join[4]: Cannot join e: on names device twice',
      '7:5 join[5]: Cannot join f: both sides are */v',
      '8:22 join[6].left: a series has no empty parts: got "*/v/"',
      '8:75 join[6].tumbling: must be above 0: got "0s"',
      '9:89 join[7].aggregate: "p95" is not allowed',
      '10:13 join[8].name: the name "k" is taken by join[2]',
      '10:80 join[8].on: must be text: got 7',
      '11:13 join[9].name: the name "h" is taken by join[7]',
      '11:50 join[9].value: it gives a text',
    ]);
    expect(problems.find(({ path }) => path === 'join[2].value')?.hint).toMatch(
      /^names: left, right, device, tags.NAME; functions: /,
    );
    expect(problems.find(({ path }) => path === 'join[7].aggregate')?.hint).toBe(
      'allowed: mean, sum, min, max, first, last, count, pairs',
    );
  });

  test('on a tag that no source gives is refused, unless it may come over the API', () => {
    const join = `join: [{ ${POWER}, within: 1s, on: phase }]`;
    const sources = (rule: string) =>
      `sources: [{ name: floor, type: mqtt, readings: [{ topic: a/+/+/+, template: _/device/line/metric, tags: { hall: "1" } }, ${rule}] }]`;
    const problems = problemsOf(`${sources('{ topic: b }')}\n${join}`);
    expect(briefly(problems)).toEqual(['2:99 join[0].on: no series has a tag "phase": no source gives it']);
    expect(problems[0]?.hint).toMatch(/^allowed: device, hall, line, site; /);
    for (const text of [
      join,
      `${sources('{ topic: c/+, template: _/phase }')}\n${join}`,
      `${sources('{ topic: c, tags: { phase: "1" } }')}\n${join}`,
      `${sources('{ topic: telegraf, line: {} }')}\n${join}`,
      `${sources('{ topic: b }')}\nseries: [{ series: "*/voltage", tags: [phase] }]\n${join}`,
    ]) {
      expect(problemsOf(text)).toEqual([]);
    }
  });

  test('that reads what it derives, through others, is refused, and the cycle is named', () => {
    const text = `derive: [{ name: gain, series: "*/power", value: value / 2 }]
join: [{ name: power, left: "*/voltage", right: "*/gain", within: 1s, value: left * right }]
`;
    expect(briefly(problemsOf(text))).toEqual([
      '1:32 derive[0].series: a cycle: derive:gain → join:power → derive:gain: each reads what the one before derives',
    ]);
  });
});
