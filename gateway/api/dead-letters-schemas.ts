import { type Static, Type } from 'typebox';
import { closed, limit, time } from './schema-words.ts';

/** What may be asked of `GET /api/v1/dead-letters`. */
export const DeadLettersQuery = Type.Object({ limit: limit(100, 1000) }, closed);
export type DeadLettersQuery = Static<typeof DeadLettersQuery>;

const DeadLetter = Type.Object({
  origin: Type.String({ description: 'Name of the source or sink that refused it' }),
  reason: Type.String(),
  time: time('Set aside'),
  subject: Type.String({ description: 'Topic, node id or measurement' }),
  text: Type.String({ description: 'The payload read as UTF-8; what is not UTF-8 shows as U+FFFD' }),
  base64: Type.String({ description: 'The payload byte for byte, cut after 4096 bytes' }),
  bytes: Type.Integer({ minimum: 0, description: 'Bytes kept' }),
  times: Type.Integer({ minimum: 1, description: 'How many like it came in one moment, when only this one is kept' }),
});
/** The answer of `GET /api/v1/dead-letters`. */
export const DeadLettersReply = Type.Object({
  deadLetters: Type.Array(DeadLetter, { description: 'Newest first' }),
});
