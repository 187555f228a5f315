import type { FastifyInstance } from 'fastify';
import { SERIES_PATTERN_HELP, seriesPatternFault } from '../../base/series-pattern.ts';
import { ByBody } from '../alarm-schemas.ts';
import { Maintenance, MaintenanceBody, MaintenanceParams, MaintenanceReply } from '../maintenance-schemas.ts';
import { conflictOf, ProblemError } from '../problem.ts';
import { Problem } from '../problem-schemas.ts';
import { ANONYMOUS, type RouteContext } from './context.ts';

/** `/api/v1/maintenance`: series that no detector judges for a time. */
export function maintenanceRoutes(app: FastifyInstance, { view: { operations } }: RouteContext): void {
  const tags = ['alarms'];
  const refused = { 400: Problem, 403: Problem };
  app.get(
    '/api/v1/maintenance',
    { schema: { tags, summary: 'What is planned, and what is on', response: { 200: MaintenanceReply } } },
    async () => ({ maintenance: operations.maintenances() }),
  );
  app.post<{ Body: MaintenanceBody }>(
    '/api/v1/maintenance',
    {
      schema: {
        tags,
        summary: 'Puts series into maintenance: they go on to windows, and no detector judges them or learns from them',
        body: MaintenanceBody,
        response: { 200: Maintenance, ...refused, 409: Problem },
      },
    },
    ({ body: { series, forSeconds, reason, by = ANONYMOUS } }) => {
      refuseWrongPattern(series);
      return operations.startMaintenance(series, { by, reason, forMs: forSeconds * 1000 }).catch(conflictOf);
    },
  );
  app.post<{ Params: MaintenanceParams; Body: ByBody | undefined }>(
    '/api/v1/maintenance/:id/stop',
    {
      schema: {
        tags,
        summary: 'Ends a maintenance before its time',
        params: MaintenanceParams,
        body: ByBody,
        response: { 200: MaintenanceReply, ...refused, 404: Problem },
      },
    },
    async ({ params: { id }, body }) => {
      if (!(await operations.stopMaintenance(id, body?.by ?? ANONYMOUS))) {
        throw new ProblemError(404, `There is no maintenance '${id.slice(0, 200)}' that could be stopped`, {
          hint: 'those that were started are listed under /api/v1/maintenance; what is planned is in the configuration',
        });
      }
      return { maintenance: operations.maintenances() };
    },
  );
}

/** @throws ProblemError for what the configuration would not take as a pattern either */
function refuseWrongPattern(series: string): void {
  const fault = seriesPatternFault(series);
  if (fault === undefined) return;
  throw new ProblemError(400, `Cannot read 'series' in the body: ${fault}: got '${series}'`, {
    hint: SERIES_PATTERN_HELP,
    errors: [{ parameter: 'series', in: 'body', reason: SERIES_PATTERN_HELP }],
  });
}
