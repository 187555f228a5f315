import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { demoConfiguration } from '../../config/demo.ts';
import { starterConfiguration } from '../../config/starter.ts';
import { configurationOf } from './load-text.ts';
import { exampleFiles, readNamedFile, textOf } from './shipped-files.ts';

/** What the shipped files ask of the environment. */
const environment = {
  MQTT_PASSWORD: 'a',
  HALL_PASSWORD: 'b',
  OPCUA_PASSWORD: 'c',
  INFLUX_PASSWORD: 'd',
  PROBES_PASSWORD: 'e',
  WEBHOOK_TOKEN: 'f',
};
const options = { environment, readFile: readNamedFile };

test.each(exampleFiles)('%s has no problems', (file) => {
  expect(configurationOf(textOf(file), options).gateway.name).not.toBe('');
});

test('the reference shows the default of every key outside the lists', () => {
  const { gateway, storage, time, api, log } = configurationOf(textOf('gateway.yaml'), options);
  const defaults = configurationOf('gateway: {}');
  expect({ gateway, storage, time, api, log }).toEqual({
    gateway: defaults.gateway,
    storage: defaults.storage,
    time: defaults.time,
    api: defaults.api,
    log: defaults.log,
  });
});

test.each(['novelty', 'auto'])('the reference shows the default of every option of %s', (name) => {
  const optionsOf = (text: string) =>
    configurationOf(text, options).detect.find(({ detector }) => detector === name)?.options;
  expect(optionsOf(textOf('gateway.yaml'))).toEqual(optionsOf(`detect: [{ series: "*", detector: ${name} }]`));
});

test('the reference shows the default of every option of mahalanobis', () => {
  const ruleOf = (text: string) => configurationOf(text, options).together[0]!;
  const { together: _, alarm: __, ...plain } = ruleOf('detect: [{ together: ["*/a", "*/b"], detector: mahalanobis }]');
  expect(ruleOf(textOf('gateway.yaml'))).toMatchObject(plain);
});

describe('the demonstration', () => {
  const demo = configurationOf(demoConfiguration, { folder: '/srv/plant' });

  test('keeps its data below the folder it is started in and listens to this machine only', () => {
    expect(demo.storage.path).toBe('/srv/plant/.headgate');
    expect(demo.sources[0]).toMatchObject({ listen: { host: '127.0.0.1', port: 1883 }, allowAnonymous: true });
    expect(demo.api.listen).toEqual({ host: '127.0.0.1', port: 8080 });
  });

  test('has windows that show within ten seconds, and an alarm for the hot oil of the simulated press', () => {
    expect(demo.windows[0]?.window).toMatchObject({ tumblingMs: 5000 });
    expect(demo.detect).toContainEqual(
      expect.objectContaining({ series: 'press-1/oil_temperature', detector: 'range', options: { min: 35, max: 60 } }),
    );
    expect(demo.sinks).toMatchObject([{ type: 'influxdb', url: 'http://localhost:8086', database: 'headgate' }]);
  });
});

describe('the starter', () => {
  const bytes = (fill: number) => (size: number) => new Uint8Array(size).fill(fill);

  test('runs as it is: sensors of the network need the generated password', () => {
    const starter = configurationOf(starterConfiguration({ name: 'hall-3', randomBytes: bytes(7) }));
    expect(starter.gateway.name).toBe('hall-3');
    expect(starter.sources[0]).toMatchObject({
      listen: { host: '0.0.0.0', port: 1883 },
      allowAnonymous: false,
      users: [{ name: 'sensors', password: Buffer.alloc(18, 7).toString('base64url') }],
    });
  });

  test('never has the same password twice', () => {
    expect(starterConfiguration({ randomBytes: bytes(1) })).not.toBe(starterConfiguration({ randomBytes: bytes(2) }));
  });

  test('stays right when every suggestion in it is taken', () => {
    const text = starterConfiguration({ randomBytes: bytes(1) })
      .replace(/^# (sinks:| {2}- \{ name: influx.*)$/gm, '$1')
      .replace(
        /^( +)# (- | {2})(?!.*mosquitto_pub)(topic|template|plain|name: press|type|endpoint|nodes| {2}- \{ id|\{ series)/gm,
        '$1$2$3',
      )
      .replace(/^( +)# tags:/m, '$1tags:');
    const { sources, detect, sinks, gateway } = configurationOf(text);
    expect(sources.map(({ name }) => name)).toEqual(['floor', 'press']);
    expect([detect.length, sinks.length, gateway.tags]).toEqual([2, 1, { site: 'plant-7' }]);
  });
});

const guide = readFileSync(new URL('../../docs/joins.md', import.meta.url), 'utf8');

test.each([...guide.matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => text!))(
  'an example in the guide to joins has no problems: %#',
  (text) => {
    const { derive, join } = configurationOf(text, options);
    expect(derive.length + join.length).toBeGreaterThan(0);
  },
);
