import { type TSchema, Type } from 'typebox';

/** For an object that has no other keys. */
export const closed = { additionalProperties: false };

/** A moment, as the API gives it. */
export const time = (description: string) =>
  Type.Number({ description: `${description}; epoch milliseconds, with fraction` });

/** A moment, as the API is asked about it. */
export const moment = (description: string) =>
  Type.String({
    minLength: 1,
    maxLength: 40,
    description: `${description}; epoch milliseconds or ISO 8601 with a zone, for example 2026-01-31T12:00:00Z`,
  });

/** That, or null. */
export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** A number of things, or an amount: at least 0. */
export const count = (description: string) => Type.Number({ minimum: 0, description });

/** Texts by name. */
export const names = (description: string) => Type.Record(Type.String(), Type.String(), { description });

/** One of a few words. */
export const oneOf = (words: readonly string[], description: string) =>
  Type.Union(
    words.map((word) => Type.Literal(word)),
    { description },
  );

/** How many rows a list gives at the most. */
export const limit = (fallback: number, maximum: number) =>
  Type.Integer({ minimum: 1, maximum, default: fallback, description: 'At most this many rows, the newest' });

/** Key of a series. */
export const seriesParameter = Type.String({
  minLength: 1,
  maxLength: 2048,
  description: 'Key of a series as /api/v1/series gives it',
});
