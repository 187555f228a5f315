import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { demoConfiguration } from '../../config/demo.ts';
import { editorSchema } from '../../config/json-schema.ts';
import { configurationSchema } from '../../config/schema.ts';
import { starterConfiguration } from '../../config/starter.ts';
import { vocabulary } from '../../gateway/catalog/vocabulary.ts';
import { exampleFiles, textOf } from './shipped-files.ts';

const published = JSON.parse(textOf('gateway.schema.json'));
const validate = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true }).compile(published);

test('the published schema is up to date; if not, run: node config/generate-schema.ts', () => {
  expect(published).toEqual(JSON.parse(JSON.stringify(editorSchema(vocabulary))));
});

describe('an editor finds nothing wrong', () => {
  const starter = starterConfiguration({ randomBytes: (size) => new Uint8Array(size) });
  const texts = new Map([
    ...exampleFiles.map((file): [string, string] => [file, textOf(file)]),
    ['demo', demoConfiguration],
    ['starter', starter],
  ]);
  test.each([...texts])('in %s', (_, text) => {
    validate(parse(text));
    expect(validate.errors ?? []).toEqual([]);
  });
});

describe('an editor finds what is wrong', () => {
  test.each([
    ['an unknown key', { gateway: { nam: 'a' } }],
    ['a duration without a unit', { storage: { checkpointEvery: '10' } }],
    ['a word that is not allowed', { log: { level: 'loud' } }],
    ['a source of no type', { sources: [{ name: 'a' }] }],
    ['a client that listens', { sources: [{ name: 'a', type: 'mqtt', url: 'mqtt://x', listen: '127.0.0.1:1' }] }],
    ['an option of another detector', { detect: [{ series: '*', detector: 'range', min: 1, for: '5s' }] }],
    [
      'an aggregate that does not exist',
      { windows: [{ name: 'a', window: { tumbling: '1m' }, aggregates: ['p101'] }] },
    ],
  ])('%s', (_, file) => {
    expect(validate(file)).toBe(false);
  });

  test('but takes references to the environment everywhere', () => {
    const file = {
      storage: { maxSeries: '$' + '{MAX}', keepFree: '$' + '{FREE:-1 GiB}' },
      log: { level: '$' + '{LEVEL}' },
    };
    expect(validate(file)).toBe(true);
  });
});

test('every key says what it is', () => {
  const silent: string[] = [];
  const walk = (
    schema: { properties?: object; items?: object; anyOf?: object[]; description?: string },
    path: string,
  ) => {
    for (const [key, property] of Object.entries(schema.properties ?? {})) {
      if (property.description === undefined) silent.push(`${path}.${key}`);
      walk(property, `${path}.${key}`);
    }
    if (schema.items !== undefined) walk(schema.items, `${path}[]`);
    for (const variant of schema.anyOf ?? []) walk(variant, path);
  };
  walk(configurationSchema(vocabulary), '');
  expect(silent).toEqual([]);
});

test('the reference file shows every key', () => {
  const text = readFileSync(new URL('../../config/gateway.yaml', import.meta.url), 'utf8');
  const keys = new Set<string>();
  const walk = (schema: { properties?: object; items?: object; anyOf?: object[] }) => {
    for (const [key, property] of Object.entries(schema.properties ?? {})) {
      keys.add(key);
      walk(property);
    }
    if (schema.items !== undefined) walk(schema.items);
    for (const variant of schema.anyOf ?? []) walk(variant);
  };
  walk(configurationSchema(vocabulary));
  expect([...keys].filter((key) => !new RegExp(`\\b${key}[:\`]`).test(text))).toEqual([]);
});
