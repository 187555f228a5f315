import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { RouteContext } from './context.ts';

/** `/metrics` for Prometheus. */
export function metricsRoutes(app: FastifyInstance, { view, metrics, hub, upgrade }: RouteContext): void {
  app.get(
    '/metrics',
    {
      config: { rateLimit: false },
      schema: {
        tags: ['health'],
        summary: 'Prometheus metrics',
        response: {
          200: { description: 'Text exposition format', content: { 'text/plain': { schema: Type.String() } } },
        },
      },
    },
    async (_request, reply) => {
      const text = await metrics.render(view.status(), {
        ready: view.notReady().length === 0,
        streamClients: hub.clients,
        slowClients: hub.slowClients,
        upgradedSockets: upgrade.sockets,
      });
      return reply.type(metrics.contentType).send(text);
    },
  );
}
