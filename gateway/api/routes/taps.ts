import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { streamEvents } from '../event-stream.ts';
import { badParameter, ProblemError } from '../problem.ts';
import { Problem } from '../problem-schemas.ts';
import { TapQuery, TapsReply } from '../tap-schemas.ts';
import type { RouteContext } from './context.ts';

/** `/api/v1/taps` and `/api/v1/tap`: what passes a stage of the pipeline, as it passes. */
export function tapRoutes(app: FastifyInstance, { view, taps }: RouteContext): void {
  app.get(
    '/api/v1/taps',
    {
      schema: {
        tags: ['inside'],
        summary: 'The stages of the pipeline that can be watched, in the order in which readings pass them',
        response: { 200: TapsReply },
      },
    },
    async () => ({ stages: view.inspection.stages }),
  );

  app.get<{ Querystring: TapQuery }>(
    '/api/v1/tap',
    {
      exposeHeadRoute: false, // a HEAD would hold its connection open for nothing
      schema: {
        tags: ['inside'],
        summary: 'What passes one stage of the pipeline, as server-sent events',
        description:
          '`passed` comes for each reading or result, with JSON as data, no more in a second than `limit` says; `left-out` tells each second how many ' +
          'there were beside them. Nothing is kept for who comes back. A few can watch at once.',
        querystring: TapQuery,
        response: {
          200: { description: 'Server-sent events', content: { 'text/event-stream': { schema: Type.String() } } },
          400: Problem,
          503: Problem,
        },
      },
    },
    (request, reply) => {
      const { stage, series, limit } = request.query;
      const stages = view.inspection.stages.map(({ name }) => name);
      if (!stages.includes(stage)) throw badParameter('stage', stage, `must be one of ${stages.join(', ')}`);
      if (view.liveIsOff) {
        throw new ProblemError(503, 'Nothing can be watched while memory is short', { hint: 'come back in a minute' });
      }
      if (taps.full) {
        throw new ProblemError(503, 'Too many watch stages of the pipeline already', { hint: 'end another one' });
      }
      streamEvents(reply, (socket) => taps.join(socket, { stage, series, perSecond: limit }));
    },
  );
}
