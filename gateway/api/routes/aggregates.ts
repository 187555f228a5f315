import type { FastifyInstance } from 'fastify';
import { AggregatesQuery, AggregatesReply } from '../aggregates-schemas.ts';
import { parseSpan } from '../moment.ts';
import { Problem } from '../problem-schemas.ts';
import type { RouteContext } from './context.ts';

/** `/api/v1/aggregates`: window results of a series from the history. */
export function aggregatesRoutes(app: FastifyInstance, { view }: RouteContext): void {
  app.get<{ Querystring: AggregatesQuery }>(
    '/api/v1/aggregates',
    {
      schema: {
        tags: ['data'],
        summary: 'Window results of a series from the history, in order of their start',
        querystring: AggregatesQuery,
        response: { 200: AggregatesReply, 400: Problem },
      },
    },
    async ({ query }) => {
      const { series, window, limit } = query;
      return { aggregates: view.aggregates({ series, window, limit, ...parseSpan(query) }) };
    },
  );
}
