import { resolve } from 'node:path';
import { SERIES_PATTERN_HELP, seriesPatternFault } from '../gateway/base/series-pattern.ts';
import { nearest, quoted } from './problems.ts';
import type { SchemaNode } from './schema-node.ts';
import { DURATION_HELP, HOST_PORT_HELP, parseDuration, parseHostPort, parseSize, SIZE_HELP } from './units.ts';

/** What checking a value needs from outside. */
export interface ScalarContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Absolute; relative paths of the file start here. */
  readonly folder: string;
  /** The content of a file that the configuration names, trimmed; the path is absolute. */
  readonly readSecret: (path: string) => Checked;
}

/** A value as the gateway uses it, or what is wrong with it. */
export type Checked = { readonly value: unknown } | { readonly problem: string; readonly hint?: string | undefined };

/**
 * Checks and converts a single value. `substituted` says that it came from the environment: then it is a text that may stand
 * for a number or a boolean.
 */
export function checkScalar(schema: SchemaNode, given: unknown, substituted: boolean, context: ScalarContext): Checked {
  if (schema.headgate === 'number-or-text') return checkNumberOrText(schema, given, substituted);
  if (schema.headgate !== undefined) return checkKind(schema, given, context);
  const value = substituted ? fromText(schema, given) : given;
  if (schema.enum !== undefined) return checkEnum(schema.enum, value);
  if (schema.const !== undefined)
    return value === schema.const ? { value } : { problem: `must be ${quoted(schema.const)}: got ${quoted(value)}` };
  if (schema.type === 'number' || schema.type === 'integer') return checkNumber(schema, value);
  if (schema.type === 'boolean')
    return typeof value === 'boolean' ? { value } : { problem: `must be true or false: got ${quoted(value)}` };
  return checkText(schema, value);
}

function fromText(schema: SchemaNode, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  const numeric =
    schema.type === 'number' || schema.type === 'integer' || schema.enum?.some((word) => typeof word === 'number');
  if (numeric && /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(value)) return Number(value);
  if (schema.type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}

function checkEnum(words: readonly unknown[], value: unknown): Checked {
  if (words.includes(value)) return { value };
  const near = typeof value === 'string' ? nearest(value, words.map(String)) : undefined;
  return {
    problem: `${quoted(value)} is not allowed${near === undefined ? '' : `, did you mean ${near}?`}`,
    hint: `allowed: ${words.join(', ')}`,
  };
}

function checkNumber(schema: SchemaNode, value: unknown): Checked {
  const { minimum, maximum, exclusiveMinimum } = schema;
  const whole = schema.type === 'integer';
  if (typeof value !== 'number' || !Number.isFinite(value) || (whole && !Number.isInteger(value))) {
    return { problem: `must be a ${whole ? 'whole ' : ''}number: got ${quoted(value)}`, hint: schema.description };
  }
  if (minimum !== undefined && value < minimum) return { problem: `must be at least ${minimum}: got ${value}` };
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum)
    return { problem: `must be above ${exclusiveMinimum}: got ${value}` };
  if (maximum !== undefined && value > maximum) return { problem: `must be at most ${maximum}: got ${value}` };
  return { value };
}

function checkText(schema: SchemaNode, value: unknown): Checked {
  if (typeof value !== 'string') {
    const hint =
      typeof value === 'number' || typeof value === 'boolean' ? `write it in quotes: "${value}"` : schema.description;
    return { problem: `must be text: got ${quoted(value)}`, hint };
  }
  if (value.length < (schema.minLength ?? 0)) return { problem: 'must not be empty', hint: schema.description };
  if (value.length > 4096) return { problem: `must have at most 4096 characters: got ${value.length}` };
  return { value };
}

function checkNumberOrText(schema: SchemaNode, given: unknown, substituted: boolean): Checked {
  const value = substituted ? fromText({ type: 'number' }, given) : given;
  if (typeof value === 'string') return checkText(schema, value);
  if (typeof value === 'number') return checkNumber({}, value);
  return {
    problem: `must be a number or text: got ${quoted(value)}`,
    hint: `write a text in quotes: "${String(value)}"`,
  };
}

function checkKind(schema: SchemaNode, given: unknown, context: ScalarContext): Checked {
  switch (schema.headgate) {
    case 'duration':
      return unit(given, parseDuration, DURATION_HELP);
    case 'positive-duration':
      return positive(unit(given, parseDuration, DURATION_HELP), given);
    case 'size':
      return unit(given, parseSize, SIZE_HELP);
    case 'host-port':
      return unit(given, parseHostPort, HOST_PORT_HELP);
    case 'secret':
      return typeof given === 'string' && given !== ''
        ? { value: given }
        : {
            problem: 'must be text that is not empty',
            hint: `in quotes where it looks like a number; or \${NAME}, or { file: PATH }`,
          };
    default:
      return checkSpecialText(schema, given, context);
  }
}

/** The value of a text with a unit; the parsers answer with a sentence where they cannot read it. */
function unit<T>(given: unknown, parse: (text: string | number) => T | string, help: string): Checked {
  if (typeof given !== 'string' && typeof given !== 'number')
    return { problem: `must be ${help}: got ${quoted(given)}` };
  const parsed = parse(given);
  return typeof parsed === 'string' ? { problem: parsed, hint: help } : { value: parsed };
}

function positive(checked: Checked, given: unknown): Checked {
  return 'value' in checked && checked.value === 0
    ? { problem: `must be above 0: got ${quoted(given)}`, hint: DURATION_HELP }
    : checked;
}

function checkSpecialText(schema: SchemaNode, given: unknown, context: ScalarContext): Checked {
  const checked = checkText(schema.headgate === 'date' && given instanceof Date ? {} : schema, given);
  if (!('value' in checked)) return checked;
  const text = checked.value as string;
  switch (schema.headgate) {
    case 'path':
      return { value: resolve(context.folder, text) };
    case 'pem-file':
      return checkPem(context.readSecret(resolve(context.folder, text)), text);
    case 'date':
      return checkDate(text);
    case 'url':
      return checkUrl(text, schema.schemes ?? []);
    case 'topic':
      return checkTopic(text);
    case 'series':
      return checkSeries(text);
    case 'aggregate':
      return checkAggregate(schema, text);
    default:
      return new RegExp(schema.pattern ?? '').test(text)
        ? checked
        : {
            problem: `not a name: got ${quoted(text)}`,
            hint: 'up to 64 letters, digits, _ . and -, beginning with a letter, a digit or _',
          };
  }
}

function checkPem(read: Checked, path: string): Checked {
  if (!('value' in read) || String(read.value).includes('-----BEGIN ')) return read;
  return { problem: `not a PEM file: ${quoted(path)}`, hint: 'it has a line that begins with -----BEGIN' };
}

function checkDate(text: string): Checked {
  const iso = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text);
  const ms = iso ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms)
    ? {
        problem: `not a date: got ${quoted(text)}`,
        hint: 'a day, or a time with its zone: 2000-01-01, 2000-01-01T12:00:00Z, 2000-01-01T12:00:00+01:00',
      }
    : { value: ms };
}

function checkUrl(text: string, schemes: readonly string[]): Checked {
  const hint = `for example ${schemes[0]}://host:port; allowed: ${schemes.join(', ')}`;
  if (!URL.canParse(text)) return { problem: `not an address: got ${quoted(text)}`, hint };
  const { protocol, hostname } = new URL(text);
  if (!schemes.includes(protocol.slice(0, -1)))
    return { problem: `an address of the wrong kind: got ${quoted(text)}`, hint };
  return hostname === '' ? { problem: `an address without a host: got ${quoted(text)}`, hint } : { value: text };
}

/** MQTT 3.1.1 §4.7: `+` and `#` fill a level, `#` only the last one. */
function checkTopic(text: string): Checked {
  const hint = '+ stands for one whole level, # for all the rest and only at the end: sensors/+/temperature, plant/#';
  if (text.includes('\0')) return { problem: 'a topic must not contain U+0000', hint };
  const levels = text.split('/');
  const wrong = levels.find(
    (level, index) => (level.length > 1 && /[+#]/.test(level)) || (level === '#' && index < levels.length - 1),
  );
  return wrong === undefined
    ? { value: text }
    : { problem: `not a topic filter: ${quoted(wrong)} in ${quoted(text)}`, hint };
}

function checkSeries(text: string): Checked {
  const fault = seriesPatternFault(text);
  return fault === undefined
    ? { value: text }
    : { problem: `${fault}: got ${quoted(text)}`, hint: SERIES_PATTERN_HELP };
}

function checkAggregate(schema: SchemaNode, text: string): Checked {
  const names = schema.anyOf?.find((variant) => variant.enum !== undefined)?.enum?.map(String) ?? [];
  const patterns = schema.anyOf?.flatMap(({ pattern }) => pattern ?? []) ?? [];
  if (names.includes(text) || patterns.some((pattern) => new RegExp(pattern).test(text))) return { value: text };
  const near = nearest(text, names);
  return {
    problem: `unknown aggregate ${quoted(text)}${near === undefined ? '' : `, did you mean ${near}?`}`,
    hint: `allowed: ${schema.description}`,
  };
}
