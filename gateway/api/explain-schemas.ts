import { type Static, Type } from 'typebox';
import { Alarm } from './alarm-schemas.ts';
import { ReadingRow } from './readings-schemas.ts';
import { nullable, oneOf, time } from './schema-words.ts';

/** What may be asked of `GET /api/v1/explain`. */
export const ExplainQuery = Type.Object(
  {
    series: Type.String({
      minLength: 1,
      maxLength: 2048,
      description: 'Key of a series as /api/v1/series gives it',
    }),
    time: Type.String({
      minLength: 1,
      maxLength: 40,
      description:
        'Source time of the reading; epoch milliseconds or ISO 8601 with a zone, for example 2026-01-31T12:00:00.250Z',
    }),
  },
  { additionalProperties: false },
);
export type ExplainQuery = Static<typeof ExplainQuery>;

const Window = Type.Object({
  window: Type.String(),
  from: nullable(Type.String({ description: 'What it is made from, where it is a rollup' })),
  start: time('Its start'),
  end: time('Its end'),
  closesAt: nullable(time('The watermark at which it takes no more; null where readings end it')),
  state: oneOf(
    ['empty', 'open', 'given', 'closed'],
    'empty: nothing has come for it; open: it has not ended; given: it has, and still takes what is late; closed',
  ),
  revision: nullable(Type.Integer({ description: 'Of its last result; null where none is known' })),
  holds: nullable(Type.Boolean({ description: 'Whether it holds the reading; null where that is not known any more' })),
});

const Consumers = Type.Object({
  reduction: nullable(Type.String({ description: 'The rule that decides for the series, as in the configuration' })),
  readBy: Type.Array(Type.String(), { description: 'Derivations and joins' }),
  windows: Type.Array(Type.String(), { description: 'Names of windows and rollups' }),
  detectors: Type.Array(
    Type.Object({
      detector: Type.String(),
      options: Type.Record(Type.String(), Type.Union([Type.Number(), Type.String()])),
    }),
  ),
});

const Derived = Type.Object({
  by: Type.String({ description: 'As in readBy' }),
  series: Type.String({ description: 'Key of the derived series' }),
  from: time('The least time of what is made of the reading'),
  to: time('The greatest'),
  mayFollow: Type.Boolean({ description: 'Whether a join has not come so far: more may follow' }),
  readings: Type.Array(ReadingRow, { description: 'The first ten of these times that are remembered' }),
});

/** What `GET /api/v1/explain` answers. */
export const ExplainReply = Type.Object({
  series: Type.String(),
  time: time('As asked for'),
  verdict: oneOf(
    ['taken', 'late', 'reduced', 'waiting', 'unused', 'unknown'],
    'What became of it; unknown: no reading of that time is remembered',
  ),
  summary: Type.String({ description: 'The same for a person, and what cannot be told any more' }),
  readings: Type.Array(ReadingRow, { description: 'Of that time, as far as they are remembered' }),
  duplicates: Type.Integer({ minimum: 0, description: 'How often it came again' }),
  watermarkThen: nullable(time('The watermark when it came too late')),
  watermark: nullable(time('The watermark now')),
  nearest: Type.Object(
    { before: nullable(time('The one before')), after: nullable(time('The one after')) },
    { description: 'Source times of the nearest readings that are remembered' },
  ),
  windows: Type.Array(Window, { description: 'Those that hold the time' }),
  consumers: Consumers,
  derived: Type.Array(Derived, { description: 'What derivations and joins have made of it' }),
  alarms: Type.Array(Alarm, { description: 'Of the series, active then' }),
  refused: Type.Array(Type.Object({ time: time('When'), reason: Type.String(), subject: Type.String() }), {
    description: 'What was refused of its device lately',
  }),
});
