import Type, { type TSchemaOptions, type TUnsafe } from 'typebox';
import { DURATION_PATTERN, HOST_PORT_PATTERN, type HostPort, SIZE_PATTERN } from './units.ts';

/** What the checker does with a text beyond its type; stands as the keyword `headgate` in a schema and is left out of the published one. */
export type ScalarKind =
  | 'duration'
  | 'positive-duration'
  | 'size'
  | 'host-port'
  | 'date'
  | 'secret'
  | 'path'
  | 'pem-file'
  | 'series'
  | 'topic'
  | 'url'
  | 'name'
  | 'aggregate'
  | 'number-or-text';

/** What every key says about itself. */
export interface Words {
  readonly description: string;
  /** As it would stand in the file. */
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
}

/** A secret as the file gives it: in clear, from the environment as `${NAME}`, or from a file. */
export type SecretText = string;

/** A duration; milliseconds once checked. */
export function duration(words: Words): TUnsafe<number> {
  return scalar('duration', { type: 'string', pattern: DURATION_PATTERN }, words);
}

/** A duration above 0; milliseconds once checked. */
export function positiveDuration(words: Words): TUnsafe<number> {
  return scalar('positive-duration', { type: 'string', pattern: DURATION_PATTERN }, words);
}

/** A size; bytes once checked. */
export function size(words: Words): TUnsafe<number> {
  return scalar('size', { type: ['string', 'integer'], pattern: SIZE_PATTERN, minimum: 0 }, words);
}

/** An address to listen on. */
export function hostPort(words: Words): TUnsafe<HostPort> {
  return scalar('host-port', { type: 'string', pattern: HOST_PORT_PATTERN }, words);
}

/** A date or a moment in ISO 8601; milliseconds of the epoch once checked. */
export function date(words: Words): TUnsafe<number> {
  return scalar('date', { type: 'string' }, words);
}

/** A secret; in clear once checked. */
export function secret(words: Words): TUnsafe<SecretText> {
  const file = {
    type: 'object',
    properties: {
      file: {
        headgate: 'path',
        type: 'string',
        minLength: 1,
        description: 'Path of a file that holds the secret and nothing else.',
      },
    },
    required: ['file'],
    additionalProperties: false,
  };
  return Type.Unsafe<SecretText>({ headgate: 'secret', anyOf: [{ type: 'string', minLength: 1 }, file], ...words });
}

/** The path of a file or a folder; absolute once checked. */
export function path(words: Words): TUnsafe<string> {
  return scalar('path', { type: 'string', minLength: 1 }, words);
}

/** The path of a PEM file; its content once checked. */
export function pemFile(words: Words): TUnsafe<string> {
  return scalar('pem-file', { type: 'string', minLength: 1 }, words);
}

/** A pattern that names series. */
export function seriesGlob(words: Words): TUnsafe<string> {
  return scalar('series', { type: 'string', minLength: 1 }, words);
}

/** An MQTT topic filter. */
export function topicFilter(words: Words): TUnsafe<string> {
  return scalar('topic', { type: 'string', minLength: 1 }, words);
}

/** The address of a server; `schemes` are the ones allowed, without the colon. */
export function url(schemes: readonly string[], words: Words): TUnsafe<string> {
  return scalar(
    'url',
    { type: 'string', pattern: `^(${schemes.join('|').replaceAll('.', '\\.')})://.+$`, schemes },
    words,
  );
}

/** A name that may stand in topics, file names and tags. */
export function componentName(words: Words): TUnsafe<string> {
  return scalar('name', { type: 'string', pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$' }, words);
}

/** One text, or a list of them; a list once checked. */
export function wordOrWords(words: Words): TUnsafe<readonly string[]> {
  const items = { type: 'string', minLength: 1 };
  return Type.Unsafe<readonly string[]>({ headgate: 'one-or-more', type: 'array', items, minItems: 1, ...words });
}

/** One of a few words. */
export function oneOf<const T extends readonly (string | number)[]>(values: T, words: Words): TUnsafe<T[number]> {
  return Type.Unsafe<T[number]>({ enum: [...values], ...words });
}

/** Any text that is not empty. */
export function text(words: Words): TUnsafe<string> {
  return Type.Unsafe<string>({ type: 'string', minLength: 1, ...words });
}

/** A number, or any text that is not empty; one from the environment that looks like a number is one. */
export function numberOrText(words: Words): TUnsafe<number | string> {
  return scalar('number-or-text', { type: ['number', 'string'], minLength: 1 }, words);
}

function scalar<T>(kind: ScalarKind, schema: TSchemaOptions & Record<string, unknown>, words: Words): TUnsafe<T> {
  return Type.Unsafe<T>({ headgate: kind, ...schema, ...words });
}
