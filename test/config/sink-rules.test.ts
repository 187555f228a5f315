import { describe, expect, test } from 'vitest';
import { formatProblems } from '../../config/load.ts';
import { briefly, configurationOf, problemsOf } from './load-text.ts';

const mqtt = (words: string, before = '') => `${before}sinks:\n  - { name: hall, type: mqtt, ${words} }\n`;
const found = (text: string) => briefly(problemsOf(text));

describe('an MQTT sink', () => {
  test.each([
    ['url: mqtt://me:canary@broker', 'sinks[0].url: there is a user or a password in the address'],
    ['url: mqtt://broker, password: x', 'sinks[0].password: there is a password but no user'],
    ['url: mqtt://broker, prefix: a/#', 'sinks[0].prefix: not the beginning of a topic: got "a/#"'],
    ['url: mqtt://broker, prefix: /a', 'sinks[0].prefix: not the beginning of a topic: got "/a"'],
    ['url: mqtt://broker, prefix: a/', 'sinks[0].prefix: not the beginning of a topic: got "a/"'],
    ['url: mqtt://broker, prefix: $SYS', 'sinks[0].prefix: not the beginning of a topic: got "$SYS"'],
    ['url: mqtt://broker, tls: {}', 'sinks[0].tls: a connection to mqtt:// is not encrypted'],
    ['url: http://broker', 'sinks[0].url: an address of the wrong kind: got "http://broker"'],
    ['url: mqtt://broker, qos: 2', 'sinks[0].qos: 2 is not allowed'],
    ['url: mqtt://broker, alarms: { severity: warn }', 'sinks[0].alarms.severity: "warn" is not allowed'],
  ])('%s is refused', (words, problem) => {
    const problems = found(mqtt(words));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
    expect(problems[0]).toMatch(/^2:\d+ /);
    expect(problems[0]).not.toContain('canary');
  });

  test('a certificate and its key go together', () => {
    const readFile = () => '-----BEGIN CERTIFICATE-----';
    const text = mqtt('url: mqtts://broker, tls: { cert: a.pem }');
    expect(briefly(problemsOf(text, { readFile }))).toEqual([expect.stringContaining('there is a cert but no key')]);
    expect(problemsOf(mqtt('url: mqtts://broker, tls: { cert: a.pem, key: b.pem }'), { readFile })).toEqual([]);
  });
});

describe('a webhook', () => {
  const webhook = (words: string) => `sinks:\n  - { name: phones, type: webhook, ${words} }\n`;
  const secretOf = (bytes: number) => `whsec_${Buffer.alloc(bytes, 'canary').toString('base64')}`;

  test.each([
    ['url: http://alerts.example', 'sinks[0].url: alarms would go to another machine without encryption'],
    ['url: http://10.0.0.5:9093', 'sinks[0].url: alarms would go to another machine without encryption'],
    ['url: https://me:canary@alerts.example', 'sinks[0].url: there is a user or a password in the address'],
    ['url: mqtt://alerts.example', 'sinks[0].url: an address of the wrong kind'],
    ['url: https://x, secret: canary', 'sinks[0].secret: not a secret of Standard Webhooks'],
    [`url: https://x, secret: ${secretOf(23)}`, 'sinks[0].secret: not a secret of Standard Webhooks'],
    [`url: https://x, secret: ${secretOf(65)}`, 'sinks[0].secret: not a secret of Standard Webhooks'],
    ['url: https://x, headers: { "a b": x }', 'sinks[0].headers."a b": not the name of a header: "a b"'],
    [
      'url: https://x, headers: { Webhook-Id: x }',
      'sinks[0].headers.Webhook-Id: the gateway gives the header Webhook-Id',
    ],
    ['url: https://x, headers: { a: "canary\\nb" }', 'sinks[0].headers.a: the value has characters'],
    ['url: https://x, format: ntfy', 'sinks[0].url: the address names no topic of ntfy'],
    ['url: http://127.0.0.1, tls: { ca: a.pem }', 'sinks[0].tls: a connection to http:// is not encrypted'],
    ['url: https://x, format: teams', 'sinks[0].format: "teams" is not allowed'],
  ])('%s is refused', (words, problem) => {
    const problems = briefly(problemsOf(webhook(words), { readFile: () => '-----BEGIN -----' }));
    expect(problems).toEqual([expect.stringContaining(problem)]);
    expect(problems[0]).toMatch(/^2:\d+ /);
    expect(problems[0]).not.toContain('canary');
  });

  test.each([
    'url: http://127.0.0.1:9093/api/v2/alerts, format: alertmanager',
    'url: "http://[::1]:8080"',
    'url: http://localhost',
    'url: http://alerts.example, allowHttp: true',
    'url: https://ntfy.example/press-hall, format: ntfy',
    `url: https://x, secret: ${secretOf(24)}, headers: { Authorization: Bearer x }`,
    `url: https://x, secret: ${secretOf(64)}`,
  ])('%s is fine', (words) => expect(found(webhook(words))).toEqual([]));

  test('no line that may hold a secret is shown beside a problem', () => {
    const text = 'sinks:\n  - name: a\n    type: webhook\n    url: http://hooks.example/canary\n';
    expect(formatProblems(problemsOf(text), 'gateway.yaml', text)).not.toContain('canary');
    const header = `${text.replace('http://hooks.example/canary', 'https://x')}    headers: { "a b": canary }\n`;
    expect(formatProblems(problemsOf(header), 'gateway.yaml', header)).not.toContain('canary');
  });
});

describe('a gateway does not publish to itself', () => {
  const broker = (listen: string) =>
    `sources: [{ name: floor, type: mqtt, listen: "${listen}", allowAnonymous: true }]\n`;
  const api = 'api: { listen: 127.0.0.1:8090 }\n';

  test.each([
    ['mqtt://127.0.0.1', broker('127.0.0.1:1883')],
    ['mqtt://localhost:1883', broker('0.0.0.0:1883')],
    ['mqtt://[::1]:1884', broker('[::]:1884')],
    ['mqtt://10.0.0.5:1883', broker('10.0.0.5:1883')],
    ['ws://localhost:8090/mqtt', api],
  ])('%s is refused beside %s', (url, before) => {
    expect(found(mqtt(`url: "${url}"`, before))).toEqual([
      expect.stringMatching(/sinks\[0\]\.url: .* is the gateway itself/),
    ]);
  });

  test.each([
    ['mqtt://127.0.0.1:1884', broker('127.0.0.1:1883')],
    ['mqtt://127.0.0.1:1883', broker('10.0.0.5:1883')],
    ['mqtt://broker.local', broker('0.0.0.0:1883')],
  ])('%s is another broker beside %s', (url, before) => {
    expect(found(mqtt(`url: "${url}"`, before))).toEqual([]);
  });

  const client = (topic: string) =>
    `sources: [{ name: b, type: mqtt, url: "mqtt://broker", readings: [{ topic: "${topic}" }] }]\n`;

  test.each(['#', 'headgate/#', 'headgate/headgate/alarms/_/+', '+/+/aggregates/+/temperature/minute'])(
    'a source of the same broker that reads %s is refused',
    (topic) => {
      expect(found(mqtt('url: mqtt://broker:1883', client(topic)))).toEqual([
        expect.stringMatching(/a source of the same broker reads .* below headgate\/headgate\//),
      ]);
      expect(found(mqtt('url: mqtt://elsewhere', client(topic)))).toEqual([]);
    },
  );

  test.each(['sensors/#', 'headgate/other/#', 'headgate/headgate/alarms/_', '+/+', 'headgate/+/status'])(
    'a source of the same broker may read %s',
    (topic) => expect(found(mqtt('url: mqtt://broker:1883', client(topic)))).toEqual([]),
  );

  test('the prefix and the name of the gateway count', () => {
    const of = (prefix: string) =>
      found(`gateway: { name: a }\n${mqtt(`url: mqtt://broker, prefix: ${prefix}`, client('p/a/#'))}`);
    expect(of('p')).toHaveLength(1);
    expect(of('q')).toEqual([]);
  });
});

test('a user and a token of InfluxDB do not go together', () => {
  const text = 'sinks:\n  - { name: i, type: influxdb, url: http://x, user: u, password: p, token: t }\n';
  expect(found(text)).toEqual([expect.stringContaining('token does not go together')]);
  expect(configurationOf(text.replace(', token: t', '')).sinks).toHaveLength(1);
});
