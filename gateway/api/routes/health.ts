import type { FastifyInstance } from 'fastify';
import { ProblemError } from '../problem.ts';
import { HealthReply, Problem, ReadyReply } from '../problem-schemas.ts';
import type { RouteContext } from './context.ts';

/** `/healthz` says that the process answers; `/readyz` that data can be accepted and kept. Neither counts against the rate limit. */
export function healthRoutes(app: FastifyInstance, { view }: RouteContext): void {
  const config = { rateLimit: false as const };
  app.get(
    '/healthz',
    { config, schema: { tags: ['health'], summary: 'The gateway is alive', response: { 200: HealthReply } } },
    async () => ({ status: 'ok' }),
  );
  app.get(
    '/readyz',
    {
      config,
      schema: {
        tags: ['health'],
        summary: 'The gateway is able to accept and keep data; 503 with the reasons otherwise',
        response: { 200: ReadyReply, 503: Problem },
      },
    },
    async () => {
      const reasons = view.notReady();
      if (reasons.length > 0)
        throw new ProblemError(503, `The gateway is not ready: ${reasons.join('; ')}`, { reasons });
      return { status: 'ready' };
    },
  );
}
