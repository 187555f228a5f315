import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { configurationOf } from '../../../config/load-text.ts';

const sample = readFileSync(new URL('../../../../gateway/sinks/influxdb/sample.yaml', import.meta.url), 'utf8');
const environment = { INFLUXDB_PASSWORD: 'a', INFLUXDB_TOKEN: 'b' };

it('the sample is a configuration, as it stands and with every suggestion taken', () => {
  expect(configurationOf(sample).sinks).toHaveLength(1);
  const everything = sample.replace(/^( +)# (\w+:)/gm, '$1$2');
  expect(everything).not.toMatch(/^ *#/m);
  for (const without of [/^ +token.*\n/m, /^ +(user|password):.*\n/gm]) {
    const [sink] = configurationOf(everything.replace(without, ''), { environment }).sinks;
    expect(sink).toMatchObject({ type: 'influxdb', database: 'headgate', retentionPolicy: 'year', timeoutMs: 10_000 });
  }
});

it('the sample shows the default of every option that has one', () => {
  const everything = sample.replace(/^( +)# (version|createDatabase|gzip|timeout):/gm, '$1$2:');
  expect(configurationOf(everything).sinks).toEqual(configurationOf(sample).sinks);
});
