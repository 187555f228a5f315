import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { configurationOf } from '../../../config/load-text.ts';

const sample = readFileSync(new URL('../../../../gateway/sinks/webhook/sample.yaml', import.meta.url), 'utf8');
const environment = { WEBHOOK_SECRET: `whsec_${'A'.repeat(32)}`, WEBHOOK_TOKEN: 'Bearer x' };

it('the sample is a configuration, as it stands and with every suggestion taken', () => {
  expect(configurationOf(sample).sinks).toMatchObject([{ type: 'webhook', secret: undefined, headers: {} }]);
  const everything = sample.replace(/^( +)# (\w+:)/gm, '$1$2');
  expect(everything).not.toMatch(/^ *#/m);
  const [sink] = configurationOf(everything, { environment }).sinks;
  expect(sink).toMatchObject({ secret: environment.WEBHOOK_SECRET, headers: { Authorization: 'Bearer x' } });
});

it('the sample shows the default of every option that has one', () => {
  const everything = sample.replace(/^( +)# (format|alarms|timeout|allowHttp):/gm, '$1$2:');
  expect(configurationOf(everything).sinks).toEqual(configurationOf(sample).sinks);
});
