import { type Static, Type } from 'typebox';

/** What may be asked of `GET /api/v1/tap`. */
export const TapQuery = Type.Object(
  {
    stage: Type.String({
      minLength: 1,
      maxLength: 256,
      description: 'Name of a stage as /api/v1/taps gives it: accepted, reduction, fates, results, window:NAME …',
    }),
    series: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 2048,
        description: 'Key of a series, or a pattern as in the configuration: */temperature; everything when left out',
      }),
    ),
    limit: Type.Integer({
      minimum: 1,
      maximum: 1_000,
      default: 20,
      description: 'At most so many events in a second; of what passes beside them only the number is told',
    }),
  },
  { additionalProperties: false },
);
export type TapQuery = Static<typeof TapQuery>;

/** What `GET /api/v1/taps` answers. */
export const TapsReply = Type.Object({
  stages: Type.Array(
    Type.Object({
      name: Type.String({ description: 'As /api/v1/tap takes it' }),
      of: Type.Union([Type.Literal('readings'), Type.Literal('results')], { description: 'What passes there' }),
      description: Type.String(),
    }),
  ),
});
