import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { PageFile } from '../page-files.ts';
import type { RouteContext } from './context.ts';

/** `/`, `/ui/…` and `/vendor/…`: the page. Revalidated by ETag at each load, so a new version is seen at once. */
export function pageRoutes(app: FastifyInstance, { files }: RouteContext): void {
  const options = { schema: { hide: true }, config: { rateLimit: false as const } };
  app.get('/', options, async (request, reply) => send(request, reply, await files.own('index.html')));
  app.get<{ Params: { name: string } }>('/ui/:name', options, async (request, reply) =>
    send(request, reply, await files.own(request.params.name)),
  );
  app.get<{ Params: { name: string } }>('/vendor/:name', options, async (request, reply) =>
    send(request, reply, await files.vendored(request.params.name)),
  );
}

function send(request: FastifyRequest, reply: FastifyReply, file: PageFile | undefined): FastifyReply | undefined {
  if (file === undefined) {
    reply.callNotFound();
    return reply;
  }
  reply.header('cache-control', 'no-cache').header('etag', file.etag);
  if (request.headers['if-none-match'] === file.etag) return reply.status(304).send();
  return reply.type(file.type).send(file.body);
}
