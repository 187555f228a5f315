import { type Static, Type } from 'typebox';
import { DEFAULT_LIMIT, MAX_LIMIT } from './readings-schemas.ts';
import { closed, limit, moment, seriesParameter, time } from './schema-words.ts';

/** What may be asked of `GET /api/v1/aggregates`. */
export const AggregatesQuery = Type.Object(
  {
    series: seriesParameter,
    window: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 256,
        description: 'Name of a window, or of what came too late for it, NAME:late; every window when it is left out',
      }),
    ),
    from: Type.Optional(moment('Windows that start at or after this time')),
    to: Type.Optional(moment('Windows that start before this time')),
    limit: limit(DEFAULT_LIMIT, MAX_LIMIT),
  },
  closed,
);
export type AggregatesQuery = Static<typeof AggregatesQuery>;

const AggregateRow = Type.Object({
  series: Type.String(),
  window: Type.String(),
  start: time('Start of the window, inclusive'),
  end: time('End of the window, exclusive'),
  revision: Type.Integer({ description: '0, and one more for each correction by a late reading' }),
  good: Type.Number({ minimum: 0, maximum: 1, description: 'Share of readings with good quality' }),
  fields: Type.Record(Type.String(), Type.Number(), { description: 'The aggregates by name' }),
});
/** The answer of `GET /api/v1/aggregates`. */
export const AggregatesReply = Type.Object({
  aggregates: Type.Array(AggregateRow, { description: 'In ascending order of start' }),
});
