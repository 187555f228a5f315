import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { RouteContext } from './context.ts';

/** `/api/v1/config`: the running configuration with secrets hidden. */
export function configRoutes(app: FastifyInstance, { view }: RouteContext): void {
  app.get(
    '/api/v1/config',
    {
      schema: {
        tags: ['gateway'],
        summary: 'The running configuration as YAML, secrets hidden',
        response: { 200: { description: 'YAML', content: { 'text/yaml': { schema: Type.String() } } } },
      },
    },
    async (_request, reply) => reply.type('text/yaml; charset=utf-8').send(view.configuration()),
  );
}
