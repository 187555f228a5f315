import { type Static, Type } from 'typebox';
import { closed } from './schema-words.ts';

/** What may be said to `POST /api/v1/write`. */
export const WriteQuery = Type.Object(
  {
    precision: Type.Optional(
      Type.Union(
        ['ns', 'us', 'ms', 's'].map((unit) => Type.Literal(unit)),
        { default: 'ns', description: 'Unit of the timestamps' },
      ),
    ),
  },
  closed,
);
export type WriteQuery = Static<typeof WriteQuery>;

/** The body of `POST /api/v1/write`. */
export const WriteBody = Type.String({
  description: 'Line protocol: measurement[,tag=value…] field=value[,field=value…] [timestamp]',
});

/** The answer of `POST /api/v1/write`. */
export const Written = Type.Null({ description: 'Every reading is durable' });
