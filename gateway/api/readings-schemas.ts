import { type Static, Type } from 'typebox';
import { closed, count, limit, moment, names, nullable, seriesParameter, time } from './schema-words.ts';

/** How many rows a list route gives when the caller does not say. */
export const DEFAULT_LIMIT = 500;
/** The most rows a list route gives. */
export const MAX_LIMIT = 10_000;

/** What may be asked of `GET /api/v1/readings`. */
export const ReadingsQuery = Type.Object(
  {
    series: seriesParameter,
    from: Type.Optional(moment('Not before this source time')),
    to: Type.Optional(moment('Before this source time')),
    limit: limit(DEFAULT_LIMIT, MAX_LIMIT),
  },
  closed,
);
export type ReadingsQuery = Static<typeof ReadingsQuery>;

const Value = Type.Union([Type.Number(), Type.Boolean(), Type.String()]);
const Quality = Type.Union([Type.Literal('good'), Type.Literal('uncertain'), Type.Literal('bad')]);

/** A reading as people are shown it. */
export const ReadingRow = Type.Object({
  sourceTime: time('When it was measured'),
  value: Value,
  quality: Quality,
  anomaly: Type.Boolean({ description: 'A detector called it an anomaly' }),
});

/** The answer of `GET /api/v1/readings`: the oldest first. */
export const ReadingsReply = Type.Object({
  series: Type.String(),
  readings: Type.Array(ReadingRow, { description: 'Oldest first' }),
});

const SeriesStatus = Type.Object({
  key: Type.String(),
  device: Type.String(),
  metric: Type.String(),
  tags: names('Further tags'),
  unit: nullable(Type.String()),
  last: nullable(ReadingRow),
  receivedTotal: count('Readings received'),
  rate: count('Readings a second over about the last ten seconds'),
  watermark: nullable(time('Readings with an earlier source time are expected to be in')),
  outOfOrdernessMs: nullable(count('How far readings may be out of order, given or learnt')),
  skewMs: nullable(
    Type.Number({ description: 'How far the clock of its device is ahead, by its readings of the last minutes' }),
  ),
});
/** The answer of `GET /api/v1/series`. */
export const SeriesReply = Type.Object({ series: Type.Array(SeriesStatus) });
