import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { configurationOf } from '../../../config/load-text.ts';

const sample = readFileSync(new URL('../../../../gateway/sinks/mqtt/sample.yaml', import.meta.url), 'utf8');
const environment = { HALL_PASSWORD: 'a' };

it('the sample is a configuration, as it stands and with every suggestion taken', () => {
  expect(configurationOf(sample).sinks).toMatchObject([{ type: 'mqtt', clientId: 'headgate-headgate-hall' }]);
  const everything = sample.replace(/^( +)# (\w+:)/gm, '$1$2');
  expect(everything).not.toMatch(/^ *#/m);
  const [sink] = configurationOf(everything, { environment }).sinks;
  expect(sink).toMatchObject({ user: 'headgate', password: 'a', clientId: 'headgate-press-hall-hall' });
});

it('the sample shows the default of every option that has one', () => {
  const everything = sample.replace(/^( +)# (qos|prefix|aggregates|alarms|timeout|batch|catchUp):/gm, '$1$2:');
  expect(configurationOf(everything).sinks).toEqual(configurationOf(sample).sinks);
});
