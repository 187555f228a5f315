import type { FastifyInstance } from 'fastify';
import { ProblemError } from '../problem.ts';
import { AcknowledgeBody, AcknowledgeParams, Alarm, AlarmsQuery, AlarmsReply, Problem } from '../schemas.ts';
import type { RouteContext } from './context.ts';

/** `/api/v1/alarms`: the alarms, and their acknowledgement by a person. */
export function alarmsRoutes(app: FastifyInstance, { view }: RouteContext): void {
  app.get<{ Querystring: AlarmsQuery }>(
    '/api/v1/alarms',
    {
      schema: {
        tags: ['alarms'],
        summary: 'Alarms, active ones only or all',
        querystring: AlarmsQuery,
        response: { 200: AlarmsReply, 400: Problem },
      },
    },
    async ({ query }) => ({ alarms: view.alarms(query) }),
  );
  app.post<{ Params: AcknowledgeParams; Body: AcknowledgeBody | undefined }>(
    '/api/v1/alarms/:id/acknowledge',
    {
      schema: {
        tags: ['alarms'],
        summary: 'Acknowledges an alarm; answered once that is durable',
        params: AcknowledgeParams,
        body: AcknowledgeBody,
        response: { 200: Alarm, 400: Problem, 403: Problem, 404: Problem },
      },
    },
    async ({ params, body }) => {
      const alarm = await view.acknowledgeAlarm(params.id, body?.by ?? 'anonymous');
      if (alarm === undefined) {
        throw new ProblemError(404, `There is no alarm '${params.id.slice(0, 200)}'`, {
          hint: 'the alarms are listed under /api/v1/alarms',
        });
      }
      return alarm;
    },
  );
}
