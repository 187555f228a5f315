import type { FastifyInstance } from 'fastify';
import { LedgerQuery, LedgerReply } from '../ledger-schemas.ts';
import { Problem } from '../problem-schemas.ts';
import type { RouteContext } from './context.ts';

/** `/api/v1/ledger`: where every reading ended, by source and by device. */
export function ledgerRoutes(app: FastifyInstance, { view }: RouteContext): void {
  app.get<{ Querystring: LedgerQuery }>(
    '/api/v1/ledger',
    {
      schema: {
        tags: ['gateway'],
        summary: 'Where every reading ended, by source and by device',
        querystring: LedgerQuery,
        response: { 200: LedgerReply, 400: Problem },
      },
    },
    async ({ query }) => view.ledgerReport(query.limit),
  );
}
