import type { FastifyInstance } from 'fastify';
import { ExplainQuery, ExplainReply } from '../explain-schemas.ts';
import { parseMoment } from '../moment.ts';
import { badParameter, ProblemError } from '../problem.ts';
import { Problem } from '../problem-schemas.ts';
import type { RouteContext } from './context.ts';

/** `/api/v1/explain`: where a reading went. */
export function explainRoutes(app: FastifyInstance, { view }: RouteContext): void {
  app.get<{ Querystring: ExplainQuery }>(
    '/api/v1/explain',
    {
      schema: {
        tags: ['inside'],
        summary: 'Where a reading went: its windows, rollups, detectors, joins; or where and why it was left out',
        description:
          'Told is what is remembered: the last 1 024 readings of a series at the most, and the last 4 096 that were late, left out by the reduction, or came ' +
          'twice, since the gateway was started. Nothing is computed again.',
        querystring: ExplainQuery,
        response: { 200: ExplainReply, 400: Problem, 404: Problem },
      },
    },
    async ({ query }) => {
      const { series } = query;
      const time = parseMoment('time', query.time);
      if (time === undefined) throw badParameter('time', query.time, 'is required');
      const explanation = await view.inspection.explain({ series, time });
      if (explanation !== undefined) return explanation;
      throw new ProblemError(404, `There is no series '${series.slice(0, 200)}'`, {
        hint: 'the keys are listed under /api/v1/series',
      });
    },
  );
}
