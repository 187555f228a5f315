import type { FastifyInstance } from 'fastify';
import { statusReply } from '../status-reply.ts';
import { StatusReply } from '../status-schemas.ts';
import type { RouteContext } from './context.ts';

/** `/api/v1/status`: the whole gateway at a glance. */
export function statusRoutes(app: FastifyInstance, { view, hub }: RouteContext): void {
  app.get(
    '/api/v1/status',
    {
      schema: {
        tags: ['gateway'],
        summary: 'Version, uptime, every source and sink, ledger, backlog, buffers',
        response: { 200: StatusReply },
      },
    },
    async () => statusReply(view, view.status(), hub.bounds()),
  );
}
