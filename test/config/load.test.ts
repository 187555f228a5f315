import { describe, expect, test } from 'vitest';
import { formatProblems } from '../../config/load.ts';
import { briefly, configurationOf, problemsOf } from './load-text.ts';

describe('a file that says little', () => {
  test('gets every default', () => {
    expect(configurationOf('gateway: { name: press-hall }')).toEqual({
      gateway: { name: 'press-hall', tags: {} },
      storage: {
        path: '/var/lib/headgate',
        sync: 'always',
        keepFreeBytes: 500 * 2 ** 20,
        journal: { maxBytes: 512 * 2 ** 20 },
        outbox: { maxBytes: 2 * 2 ** 30, maxAgeMs: 30 * 86_400_000, whenFull: 'thin' },
        alarms: { maxBytes: 128 * 2 ** 20 },
        history: { maxBytes: 2 ** 30, maxAgeMs: 30 * 86_400_000 },
        checkpointEveryMs: 10_000,
        maxSeries: 10_000,
        rememberedReadings: 65_536,
      },
      time: {
        outOfOrdernessMs: 0,
        maxOutOfOrdernessMs: 0,
        idleTimeoutMs: 10_000,
        maxFutureMs: 3_600_000,
        earliest: Date.UTC(2000, 0, 1),
        sync: 'auto',
        syncWaitMs: 120_000,
      },
      sources: [],
      series: [],
      windows: [],
      rollups: [],
      detect: [],
      together: [],
      alarms: {
        maxShelvingMs: 86_400_000,
        maxMaintenanceMs: 604_800_000,
        groupWithinMs: 60_000,
        flood: { above: 10, below: 5, withinMs: 600_000 },
      },
      maintenance: [],
      reduce: [],
      tables: [],
      derive: [],
      join: [],
      sinks: [],
      api: { listen: { host: '127.0.0.1', port: 8080 }, allowAnonymous: false },
      log: { level: 'info' },
    });
  });

  test('may have sections with everything in them commented out', () => {
    expect(configurationOf('api:\n  # listen: 127.0.0.1:8080\nsources:\ngateway:\n  tags:\n').api.listen.port).toBe(
      8080,
    );
  });
});

test('every problem of a file is told at once, with line, column and path', () => {
  const text = `gateway: { nam: press-hall, tags: { site: 7 } }
storage:
  outbox: { maxBytes: 2 GIB, maxAge: 30, whenFull: thim }
  maxSeries: many
sources:
  - name: floor
    type: mqtt
    listen: 0.0.0.0:1883
    readings:
      - { topic: sensors/a+/+, template: _/device/metric }
      - { topic: a/b, template: a/device/metric }
      - template: x
  - name: floor
    type: mqqt
  - name: floor
    type: opcua
windows:
  - { name: minute, window: { tumbling: 0s, allowedLateness: -10s }, aggregates: [count, maen, count] }
  - { name: minute, window: {}, aggregates: [] }
  - { name: hops, window: { hopping: 5m, every: 2m }, aggregates: [count] }
  - { name: days, window: { calendar: days, timeZone: Mars/Olympus }, aggregates: [count] }
  - { name: here, window: { calendar: day, timeZone: Mars/Olympus }, aggregates: [count] }
reduce:
  - { series: a/x, atLeastEvery: 1m }
  - { series: a/y, deadband: -1 }
detect:
  - { series: "*/temperature", detector: novelti }
  - { series: a/b/c/d, detector: flatline, alarm: { severity: bad } }
  - { series: "*", detector: range }
  - { series: "*", detector: novelty, alarm: { delay: 5s } }
sinks:
  - { name: influx, type: influxdb, url: "localhost:8086", gzip: 1 }
api: { listen: 0.0.0.0:8080 }
`;
  expect(briefly(problemsOf(text))).toEqual([
    '1:12 gateway.nam: unknown key "nam", did you mean name?',
    '1:43 gateway.tags.site: must be text: got 7',
    '3:23 storage.outbox.maxBytes: unknown unit of size "GIB" in "2 GIB", did you mean GiB?',
    '3:38 storage.outbox.maxAge: a duration needs a unit: got 30, write 30s or 30ms',
    '3:52 storage.outbox.whenFull: "thim" is not allowed, did you mean thin?',
    '4:14 storage.maxSeries: must be a whole number: got "many"',
    '8:13 sources[0].listen: 0.0.0.0:1883 can be reached from other machines, and everybody could connect',
    '10:18 sources[0].readings[0].topic: not a topic filter: "a+" in "sensors/a+/+"',
    '11:33 sources[0].readings[1].template: the template names 3 levels, but the topic "a/b" has 2',
    '12:9 sources[0].readings[2].topic: is missing',
    '14:11 sources[1].type: unknown type "mqqt", did you mean mqtt?',
    '15:5 sources[2].endpoint: is missing',
    '15:11 sources[2].name: the name "floor" is taken by sources[0]',
    '18:41 windows[0].window.tumbling: must be above 0: got "0s"',
    '18:62 windows[0].window.allowedLateness: a duration must not be negative: got "-10s"',
    '18:90 windows[0].aggregates[1]: unknown aggregate "maen", did you mean mean?',
    '18:96 windows[0].aggregates[2]: "count" is named twice',
    '19:13 windows[1].name: the name "minute" is taken by windows[0]',
    '19:29 windows[1].window.tumbling: is missing',
    '19:45 windows[1].aggregates: is empty',
    '20:27 windows[2].window: Cannot make windows of 300000 ms that begin every 120000 ms',
    '21:39 windows[3].window.calendar: "days" is not allowed, did you mean day?',
    '22:27 windows[4].window: Cannot make windows in the time zone "Mars/Olympus": it is not known',
    '24:5 reduce[0]: Cannot reduce a/x: nothing says which readings do not go on',
    '25:30 reduce[1].deadband: must be at least 0: got -1',
    '27:42 detect[0].detector: unknown detector "novelti", did you mean novelty?',
    '28:5 detect[1].for: is missing',
    '28:15 detect[1].series: a series has at most three parts: got "a/b/c/d"',
    '28:63 detect[1].alarm.severity: "bad" is not allowed',
    '29:5 detect[2]: Cannot make the detector range: it has neither min nor max',
    '30:55 detect[3].alarm.delay: novelty tells only the onset of an anomaly, so its alarm cannot wait',
    '32:42 sinks[0].url: an address of the wrong kind: got "localhost:8086"',
    '32:66 sinks[0].gzip: must be true or false: got 1',
    '33:16 api.listen: 0.0.0.0:8080 can be reached from other machines, and everybody could connect',
  ]);
});

test('a length of time that is missing is told with what it is for, and how one is written', () => {
  const [problem] = problemsOf('detect: [{ series: "*", detector: flatline }]');
  expect(problem?.hint).toBe('how long without a change; a number with a unit: 500ms, 10s, 1m, 1h30m, 30d, 1y');
});

test('a time of the day without a zone is no date, and it is told how one is written', () => {
  const plan = '{ series: "*", from: 2026-12-01T06:00:00, to: 2026-12-01T14:00:00Z }';
  const [problem] = problemsOf(`maintenance: [${plan}]`);
  expect(problem?.message).toBe('not a date: got "2026-12-01T06:00:00"');
  expect(problem?.hint).toContain('a time with its zone: 2000-01-01, 2000-01-01T12:00:00Z');
});

test.each([
  ['swingingDoor: -1', '1:37 reduce[0].swingingDoor: must be at least 0: got -1'],
  ['swingingDoor: 0.2 %', '1:37 reduce[0].swingingDoor: must be a number: got "0.2 %"'],
  ['swingingDor: 0.2', '1:23 reduce[0].swingingDor: unknown key "swingingDor", did you mean swingingDoor?'],
])('of a rule of several keys, in which %s is wrong, nothing else is told than that', (key, problem) => {
  expect(briefly(problemsOf(`reduce: [{ series: a, ${key} }]`))).toEqual([problem]);
});

test('each problem says what is allowed', () => {
  const text = 'log: { level: verbose }\nsinks: [{ name: a, type: kafka }]\n';
  expect(
    formatProblems(problemsOf(text), 'gateway.yaml', text),
  ).toBe(`gateway.yaml:1:15  log.level: "verbose" is not allowed
    | log: { level: verbose }
    |               ^
    allowed: debug, info, warn, error
gateway.yaml:2:26  sinks[0].type: unknown type "kafka"
    | sinks: [{ name: a, type: kafka }]
    |                          ^
    allowed: influxdb, mqtt, webhook`);
});

describe('YAML that cannot be read', () => {
  test.each([
    ['a tab as indentation', 'gateway:\n\tname: a\n', '2:1', 'YAML is indented with spaces'],
    ['a key that is there twice', 'api: {}\ngateway: {}\napi: {}\n', '3:1', 'leave one of the two out'],
    ['an open bracket', 'sources: [\n  { name: a\n', '3:1', 'need quotes'],
    ['two documents', 'api: {}\n---\napi: {}\n', '2:1', 'leave out the line ---'],
    ['an alias without its anchor', 'gateway: *nobody\n', '1:10', 'put the anchor (&name) before'],
  ])('%s is told with its place and a remedy', (_, text, place, remedy) => {
    const problems = problemsOf(text);
    expect(briefly(problems)[0]).toContain(place);
    expect(problems[0]?.hint).toContain(remedy);
  });

  test('an empty file, a list, a single value and a merge key are told', () => {
    expect(briefly(problemsOf('# nothing\n'))).toEqual(['1:1 : the file is empty']);
    expect(briefly(problemsOf('- a\n'))).toEqual(['1:1 : must be a group of keys: got a list']);
    expect(briefly(problemsOf('hello'))).toEqual(['1:1 : must be a group of keys: got a single value']);
    expect(briefly(problemsOf('api: { <<: {} }'))).toEqual(['1:8 api."<<": unknown key "<<"']);
  });

  test('anchors that multiply are stopped', () => {
    const levels = Array.from({ length: 12 }, (_, level) => {
      const item = level === 0 ? 'x' : `*l${level - 1}`;
      return `l${level}: &l${level} [${Array.from({ length: 10 }, () => item).join(', ')}]`;
    });
    const bomb = `${levels.join('\n')}\nwindows: *l11\n`;
    const begun = performance.now();
    expect(problemsOf(bomb).length).toBeLessThan(100);
    const nested = 'sources: &s [*s]\n';
    expect(problemsOf(nested).length).toBeGreaterThan(0);
    const aggregates = Array.from(
      { length: 7 },
      (_, i) => `- &a${i} { name: w${i}, window: { tumbling: 1s }, aggregates: [count] }`,
    );
    expect(problemsOf(`windows:\n  ${aggregates.join('\n  ')}\n`)).toEqual([]);
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  test('a file of more than 1 MiB is not read', () => {
    expect(briefly(problemsOf(`# ${'x'.repeat(1024 * 1024)}`))).toEqual([
      '1:1 : the file has 1048578 bytes; at most 1048576 are read',
    ]);
  });
});

test('paths are relative to the folder of the file, or to the folder that is asked for', () => {
  expect(configurationOf('storage: { path: data }').storage.path).toBe('/etc/headgate/data');
  expect(configurationOf('storage: { path: data }', { folder: '/srv' }).storage.path).toBe('/srv/data');
});

test('series are judged together as they are named with their devices, else device by device', () => {
  const text = (rule: string) => `detect: [{ ${rule}, detector: mahalanobis, threshold: 4, relearnAfter: 2h }]`;
  const { detect, together } = configurationOf(text('together: [a/x, site/b/y]'));
  expect(detect).toEqual([]);
  expect(together).toEqual([
    {
      together: ['a/x', 'site/b/y'],
      on: [],
      maxAgeMs: 60_000,
      detector: 'mahalanobis',
      options: { smooth: 20, memory: 4000, warmUp: 200, threshold: 4, relearnAfterMs: 7_200_000 },
      alarm: undefined,
    },
  ]);
  const onOf = (rule: string) => configurationOf(text(rule)).together[0]?.on;
  expect(onOf('together: [a/x, "*/y"]')).toEqual(['device']);
  expect(onOf('together: [x, y]')).toEqual(['device']);
  expect(onOf('together: [x, y], on: site')).toEqual(['site']);
  expect(onOf('together: [x], on: site')).toEqual(['site']);
  expect(onOf('together: ["*"]')).toEqual(['device']);
  expect(onOf('together: [x, y], on: [site, hall]')).toEqual(['site', 'hall']);
});

test.each([
  ['together: [a/x]', '1:22 detect[0].together: a/x is one series'],
  ['together: [a/x, a/x]', '1:22 detect[0].together: a/x is there twice'],
  ['together: [a/x, b/x], on: device', '1:22 detect[0].together: on is device, and each of a/x, b/x is of another one'],
  ['together: ["*/x"]', '1:22 detect[0].together: */x is one series of each device'],
  ['together: [a/x, "*/x"], on: [hall, device]', '1:22 detect[0].together: a/x, */x is one series of each device'],
  ['together: [x, y], on: [site, site]', '1:22 detect[0].together: on names site twice'],
  [`together: [${Array.from({ length: 33 }, (_, i) => `a/x${i}`)}]`, '1:22 detect[0].together: there are 33 series'],
  ['together: [a/b/c/d, x]', '1:23 detect[0].together[0]: a series has at most three parts: got "a/b/c/d"'],
  ['together: []', '1:22 detect[0].together: is empty'],
])('series that cannot be judged together are told where they stand: %s', (rule, problem) => {
  expect(briefly(problemsOf(`detect: [{ ${rule}, detector: mahalanobis }]`))).toEqual([problem]);
});

test('the options of a detector reach it under its own names, durations in milliseconds', () => {
  const text =
    'detect:\n  - { series: "*", detector: flatline, for: 10m, alarm: { severity: critical, hold: 5s } }\n  - { series: a, detector: range, max: 3 }\n';
  expect(configurationOf(text).detect).toEqual([
    {
      series: '*',
      detector: 'flatline',
      options: { forMs: 600_000, tolerance: 0 },
      alarm: { severity: 'critical', priority: undefined, holdMs: 5000, onDelayMs: 0, hysteresis: 0 },
    },
    { series: 'a', detector: 'range', options: { max: 3 }, alarm: undefined },
  ]);
});
