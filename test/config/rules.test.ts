import { describe, expect, test } from 'vitest';
import { briefly, configurationOf, problemsOf } from './load-text.ts';

const BROKER = 'sources:\n  - name: floor\n    type: mqtt\n';

describe('a source', () => {
  test('of MQTT that listens is the embedded broker, open to this machine only', () => {
    expect(configurationOf(BROKER).sources[0]).toMatchObject({
      role: 'broker',
      listen: { host: '127.0.0.1', port: 1883 },
      users: [],
      allowAnonymous: true,
      maxPacketBytes: 2 ** 21,
    });
  });

  test('with users lets nobody else in, unless it says so', () => {
    const users = `${BROKER}    users: [{ name: sensors, password: pw }]\n`;
    expect(configurationOf(users).sources[0]).toMatchObject({ allowAnonymous: false });
    expect(configurationOf(`${users}    allowAnonymous: true\n`).sources[0]).toMatchObject({ allowAnonymous: true });
  });

  test('of MQTT with a url is a client whose id stays the same', () => {
    const text = 'gateway: { name: hall }\nsources: [{ name: other, type: mqtt, url: "mqtt://broker.local" }]';
    expect(configurationOf(text).sources[0]).toMatchObject({ role: 'client', qos: 1, clientId: 'headgate-hall-other' });
  });

  test('of MQTT cannot listen and be a client at once', () => {
    expect(briefly(problemsOf(`${BROKER}    listen: 127.0.0.1:1883\n    url: mqtt://x\n`))).toEqual([
      '5:5 sources[0].url: url does not go together with listen',
    ]);
  });

  test('of MQTT reads at most one format in a rule', () => {
    const readings = (format: string) => `${BROKER}    readings:\n      - { topic: a/+, ${format} }\n`;
    const ruleOf = (format: string) => {
      const source = configurationOf(readings(format)).sources[0];
      return source?.type === 'mqtt' ? source.readings[0] : undefined;
    };
    expect(ruleOf('device: x')).toMatchObject({ json: undefined, plain: undefined, line: undefined });
    expect(ruleOf('plain: false')).toMatchObject({ plain: undefined });
    expect(ruleOf('line: {}')).toMatchObject({ line: { precision: 'ns' } });
    expect(ruleOf('json: { values: data, time: t, timeUnit: s }')).toMatchObject({
      json: { value: undefined, values: 'data', time: 't', timeUnit: 's', text: false },
    });
    expect(briefly(problemsOf(readings('json: {}, line: {}')))).toEqual([
      '5:39 sources[0].readings[0].line: json and line do not go together',
    ]);
    expect(briefly(problemsOf(readings('json: { value: a, values: b }')))[0]).toContain(
      'value and values do not go together',
    );
  });

  test('of MQTT has templates that fit their topic', () => {
    const problems = (topic: string, template: string) =>
      problemsOf(`${BROKER}    readings: [{ topic: ${topic}, template: ${template} }]\n`).map(({ message }) => message);
    expect(problems('a/_/+', '_/device/metric')).toEqual([]);
    expect(problems('"a/#"', '_/device/metric')).toEqual([]);
    expect(problems('a/b/c/d', '"_/device/metric*"')).toEqual([]);
    expect(problems('a/+', '"_/device/metric*"')).toEqual(['the template names 3 levels, but the topic "a/+" has 2']);
    expect(problems('a/b/c/d', '_/device/metric')).toEqual([
      'the template names 3 levels, but the topic "a/b/c/d" has 4',
    ]);
    expect(problems('a/+', '_/de$ice')).toEqual(['not a word of a template: "de$ice"']);
  });

  test('of OPC-UA takes nodes by id and by browse path', () => {
    const text = `sources:
  - name: press
    type: opcua
    endpoint: opc.tcp://press.local:4840
    security: { policy: Basic256Sha256 }
    nodes:
      - { id: "ns=2;s=T", device: press-1, metric: t, sampling: 0s, queueSize: 10 }
      - { browse: "Objects/**", device: press-1 }
`;
    expect(configurationOf(text).sources[0]).toMatchObject({
      security: { policy: 'Basic256Sha256', mode: 'SignAndEncrypt' },
      publishingIntervalMs: 500,
      nodes: [
        { id: 'ns=2;s=T', device: 'press-1', metric: 't', samplingMs: 0, queueSize: 10 },
        { browse: 'Objects/**', device: 'press-1' },
      ],
    });
  });
});

describe('names', () => {
  test('of tags may be any text, and nothing leaks into prototypes', () => {
    const { tags } = configurationOf('gateway: { tags: { __proto__: a, constructor: b, "a b": c } }').gateway;
    expect(Object.entries(tags)).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
      ['a b', 'c'],
    ]);
    expect(briefly(problemsOf('__proto__: {}\nconstructor: {}\n'))).toHaveLength(2);
  });

  test('of a source may not be that of the HTTP routes', () => {
    const text = "sources: [{ name: http, type: mqtt, readings: [{ topic: 'a/b' }] }]\n";
    expect(briefly(problemsOf(text))).toEqual([
      expect.stringContaining('sources[0].name: the name "http" is that of the API'),
    ]);
  });

  test('of users may not look like topics, nor be there twice', () => {
    const text = `${BROKER}    users:\n      - { name: a/+, password: x }\n      - { name: b, password: x }\n      - { name: b, password: y }\n`;
    expect(briefly(problemsOf(text))).toEqual([
      '5:17 sources[0].users[0].name: a user name must not contain + # / $ or control characters: got "a/+"',
      '7:17 sources[0].users[2].name: the user "b" is there twice',
    ]);
  });
});

describe('listening beyond this machine', () => {
  test.each([
    ['users', '    listen: 0.0.0.0:1883\n    users: [{ name: a, password: b }]\n'],
    ['allowAnonymous', '    listen: "[::]:1883"\n    allowAnonymous: true\n'],
    ['another loopback address', '    listen: 127.0.0.2:1883\n'],
  ])('is possible with %s', (_, lines) => {
    expect(problemsOf(BROKER + lines)).toEqual([]);
  });

  test('is refused without users, on the encrypted port as well, and nobody may be locked out', () => {
    const tls = `${BROKER}    tls: { listen: 0.0.0.0:8883, cert: c, key: k }\n`;
    expect(briefly(problemsOf(tls, { readFile: () => '-----BEGIN CERTIFICATE-----' }))[0]).toContain(
      '4:20 sources[0].tls.listen: 0.0.0.0:8883 can be reached',
    );
    expect(briefly(problemsOf(`${BROKER}    allowAnonymous: false\n`))[0]).toContain('nobody could connect');
  });
});
