import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { Metrics } from '../metrics.ts';
import { statusReply } from '../status-reply.ts';
import type { RouteContext } from './context.ts';

/** Devices whose rows of the ledger are in a scrape: label values must stay few. */
const GROUPS_IN_METRICS = 100;

/** `/metrics` for Prometheus. */
export function metricsRoutes(app: FastifyInstance, { view, hub, upgrade }: RouteContext): void {
  // Loaded at the first scrape: 20 MiB that a gateway without Prometheus does not pay.
  let loading: Promise<Metrics> | undefined;
  const load = () => {
    loading ??= import('../metrics.ts').then((module) => new module.Metrics());
    return loading;
  };
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
      const metrics = await load();
      const api = {
        ready: view.notReady().length === 0,
        streamClients: hub.clients,
        slowClients: hub.slowClients,
        upgradedSockets: upgrade.sockets,
      };
      const ledger = view.ledgerReport(GROUPS_IN_METRICS);
      const text = await metrics.render({ status: statusReply(view, view.status(), hub.bounds()), ledger, api });
      return reply.type(metrics.contentType).send(text);
    },
  );
}
