import { type TSchema, Type } from 'typebox';

/** How the tables stand, as `GET /api/v1/status` tells it. */
export const TableStatuses = Type.Array(
  Type.Object({
    name: Type.String(),
    rows: Type.Number({ minimum: 0 }),
    problem: Type.Union([Type.String(), Type.Null()], {
      description: 'Why its file is not taken, and it stays as it was; null where it is',
    }),
  }),
  { description: 'What is known of devices beside their readings' },
);

/** How the readings of derivations and joins stand, as `GET /api/v1/status` tells it. `Ledger` is the schema of the counts. */
export function derivedStatuses<T extends TSchema>(Ledger: T) {
  return Type.Array(
    Type.Object({
      name: Type.String({ description: 'derive: or join: and its name, the source of its readings' }),
      series: Type.Number({ minimum: 0, description: 'Series it has made' }),
      ledger: Ledger,
      lastProblem: Type.Union([Type.String(), Type.Null()], {
        description: 'Why the last reading that could not be computed could not, since the start',
      }),
    }),
    {
      description:
        'What is derived from readings; rejected is what could not be computed. In no total: nobody has sent it',
    },
  );
}
