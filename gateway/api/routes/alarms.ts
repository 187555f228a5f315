import type { FastifyInstance } from 'fastify';
import type { AlarmRow } from '../../core/alarm.ts';
import {
  AcknowledgeBody,
  Alarm,
  AlarmGroupsReply,
  AlarmParams,
  AlarmsQuery,
  AlarmsReply,
  ByBody,
  DismissBody,
  ShelveBody,
} from '../alarm-schemas.ts';
import { conflictOf, ProblemError } from '../problem.ts';
import { Problem } from '../problem-schemas.ts';
import { groupAlarms } from '../ui/alarm-groups.ts';
import { ANONYMOUS, type RouteContext } from './context.ts';

/** `/api/v1/alarms`: the alarms, and what a person does with them. */
export function alarmsRoutes(app: FastifyInstance, { view: { operations } }: RouteContext): void {
  const tags = ['alarms'];
  const response = { 200: Alarm, 400: Problem, 403: Problem, 404: Problem };
  app.get<{ Querystring: AlarmsQuery }>(
    '/api/v1/alarms',
    {
      schema: {
        tags,
        summary: 'Alarms: active ones, open ones or all',
        querystring: AlarmsQuery,
        response: { 200: AlarmsReply, 400: Problem },
      },
    },
    async ({ query }) => ({ alarms: operations.alarms(query) }),
  );
  app.get<{ Querystring: AlarmsQuery }>(
    '/api/v1/alarms/groups',
    {
      schema: {
        tags,
        summary: 'The same, with alarms of one device that came shortly one after the other put together',
        querystring: AlarmsQuery,
        response: { 200: AlarmGroupsReply, 400: Problem },
      },
    },
    async ({ query }) => ({ groups: groupAlarms(operations.alarms(query)) }),
  );
  app.post<{ Params: AlarmParams; Body: ByBody | undefined }>(
    '/api/v1/alarms/:id/acknowledge',
    {
      schema: {
        tags,
        summary: 'Acknowledges an alarm; answered once that is durable',
        params: AlarmParams,
        body: ByBody,
        response,
      },
    },
    ({ params, body }) => found(params.id, operations.acknowledge(params.id, body?.by ?? ANONYMOUS)),
  );
  app.post<{ Body: AcknowledgeBody }>(
    '/api/v1/alarms/acknowledge',
    {
      schema: {
        tags,
        summary: 'Acknowledges several alarms; answered with those that were open, once that is durable',
        body: AcknowledgeBody,
        response: { 200: AlarmsReply, 400: Problem, 403: Problem },
      },
    },
    async ({ body: { ids, by = ANONYMOUS } }) => {
      const alarms = await Promise.all(ids.map((id) => operations.acknowledge(id, by)));
      return { alarms: alarms.filter((alarm) => alarm !== undefined) };
    },
  );
  app.post<{ Params: AlarmParams; Body: ShelveBody }>(
    '/api/v1/alarms/:id/shelve',
    {
      schema: {
        tags,
        summary: 'Puts the rule of an open alarm aside on its series for a time: it is kept, and told to nobody',
        params: AlarmParams,
        body: ShelveBody,
        response: { ...response, 409: Problem },
      },
    },
    ({ params, body: { forSeconds, reason, by = ANONYMOUS } }) =>
      found(params.id, operations.shelve(params.id, { by, reason, forMs: forSeconds * 1000 })),
  );
  app.post<{ Params: AlarmParams; Body: ByBody | undefined }>(
    '/api/v1/alarms/:id/unshelve',
    {
      schema: { tags, summary: 'Takes back what is shelved', params: AlarmParams, body: ByBody, response },
    },
    ({ params, body }) => found(params.id, operations.unshelve(params.id, body?.by ?? ANONYMOUS)),
  );
  app.post<{ Params: AlarmParams; Body: DismissBody }>(
    '/api/v1/alarms/:id/dismiss',
    {
      schema: {
        tags,
        summary:
          'Says that what an open alarm told of was fine: it is over, and a detector that learns takes it for normal',
        params: AlarmParams,
        body: DismissBody,
        response,
      },
    },
    ({ params, body: { reason, by = ANONYMOUS } }) => found(params.id, operations.dismiss(params.id, by, reason)),
  );
}

/** The alarm as it stands after what was done; what cannot be done is the caller's problem. */
async function found(id: string, done: Promise<AlarmRow | undefined>): Promise<AlarmRow> {
  const alarm = await done.catch(conflictOf);
  if (alarm !== undefined) return alarm;
  throw new ProblemError(404, `There is no such alarm as '${id.slice(0, 200)}'`, {
    hint: 'what can be acknowledged or shelved is listed under /api/v1/alarms?state=open, what is shelved in the status',
  });
}
