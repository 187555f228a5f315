import { type Static, Type } from 'typebox';
import { closed } from './schema-words.ts';

/** Topics of the live stream, in the order they are documented. */
export const TOPICS = ['readings', 'aggregates', 'alarms', 'status'] as const;
/** One of `TOPICS`. */
export type Topic = (typeof TOPICS)[number];

/** What may be asked of `GET /api/v1/stream`. */
export const StreamQuery = Type.Object(
  {
    topics: Type.Optional(
      Type.String({
        maxLength: 100,
        description: `Comma-separated: ${TOPICS.join(', ')}; all of them when left out`,
      }),
    ),
  },
  closed,
);
export type StreamQuery = Static<typeof StreamQuery>;
