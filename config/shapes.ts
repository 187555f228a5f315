import Type, { type TSchema } from 'typebox';
import type { Words } from './scalars.ts';

/** What every password says about itself. */
export const PASSWORD = {
  description: `Password: in clear, as \${NAME} from the environment, or as { file: PATH }.`,
};

/** No keys but those that are named. */
export const closed = { additionalProperties: false } as const;

/** A part of the file with defaults for all its keys, so that it may be left out as a whole. */
export function section<T extends Record<string, TSchema>>(description: string, properties: T) {
  return Type.Object(properties, { ...closed, description, default: {} });
}

/** A list that may be left out. */
export function list<T extends TSchema>(items: T, words: Words) {
  return Type.Array(items, { default: [], ...words });
}

/** A key without a default that may be left out. */
export const optional = Type.Optional;

/** Names with values. */
export const tags = (description: string) =>
  Type.Record(Type.String(), Type.String({ minLength: 1 }), {
    description,
    default: {},
    examples: [{ site: 'plant-7' }],
  });
