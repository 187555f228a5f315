import { type Static, Type } from 'typebox';
import { closed, count } from './schema-words.ts';

const counts = {
  received: count('The sum of all the others'),
  inFlight: count('Accepted, and not yet in a closed fate'),
  aggregated: count('Went into the analysis'),
  filtered: count('Left out by configuration'),
  duplicate: count('Delivered again: same series, time and value'),
  late: count('Came after the allowed lateness'),
  rejected: count('Set aside as a dead letter'),
  dropped: count('Lost: journaled, and not to be had any more'),
};
/** Counts of readings by what became of them. */
export const Ledger = Type.Object(counts, { description: 'Every reading ends in exactly one place' });
/** What a ledger lacks. */
export const missing = {
  imbalance: Type.Integer({ description: 'received less all the others: 0, or readings were lost' }),
};
const LedgerRow = Type.Object({ name: Type.String(), ...counts, ...missing });

/** What may be asked of `GET /api/v1/ledger`. */
export const LedgerQuery = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 1_100, default: 100, description: 'At most this many groups' }),
  },
  closed,
);
export type LedgerQuery = Static<typeof LedgerQuery>;

/** The answer of `GET /api/v1/ledger`. */
export const LedgerReply = Type.Object({
  total: Type.Object({ ...counts, ...missing }),
  sources: Type.Array(LedgerRow, { description: 'Where every reading of a source ended' }),
  groups: Type.Array(LedgerRow, {
    description:
      'The same readings by device, [site/]device: first those with most duplicate, late, rejected and dropped, then the busiest. ' +
      '(unknown) is data of which no device is known, (others) the devices beyond the first 1000',
  }),
  groupCount: count('Groups there are, shown or not'),
});
