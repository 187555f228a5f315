import type { FastifyInstance } from 'fastify';
import { parseSpan } from '../moment.ts';
import { ProblemError } from '../problem.ts';
import { Problem } from '../problem-schemas.ts';
import { ReadingsQuery, ReadingsReply } from '../readings-schemas.ts';
import type { RouteContext } from './context.ts';

/** `/api/v1/readings`: the raw readings of a series that are still held. */
export function readingsRoutes(app: FastifyInstance, { view }: RouteContext): void {
  app.get<{ Querystring: ReadingsQuery }>(
    '/api/v1/readings',
    {
      schema: {
        tags: ['data'],
        summary: 'Raw readings of a series still held, oldest first',
        querystring: ReadingsQuery,
        response: { 200: ReadingsReply, 400: Problem, 404: Problem },
      },
    },
    async ({ query }) => {
      const { series, limit } = query;
      const readings = view.readings({ series, limit, ...parseSpan(query) });
      if (readings === undefined) {
        throw new ProblemError(404, `There is no series '${series.slice(0, 200)}'`, {
          hint: 'the keys are listed under /api/v1/series',
        });
      }
      return { series, readings };
    },
  );
}
