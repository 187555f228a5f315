import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { streamEvents } from '../event-stream.ts';
import { badParameter, ProblemError } from '../problem.ts';
import { Problem } from '../problem-schemas.ts';
import { StreamQuery, TOPICS } from '../stream-schemas.ts';
import type { RouteContext } from './context.ts';

/** `/api/v1/stream`: what happens, as it happens, as server-sent events. */
export function streamRoutes(app: FastifyInstance, { hub, view }: RouteContext): void {
  app.get<{ Querystring: StreamQuery }>(
    '/api/v1/stream',
    {
      exposeHeadRoute: false, // a HEAD would hold its connection open for nothing
      schema: {
        tags: ['data'],
        summary: 'Live events as server-sent events',
        description:
          'Events are named by topic, with JSON as data. `heartbeat` comes about every ten seconds. With Last-Event-ID the missed ones come ' +
          'first; a `reset` event says that they have gone and that everything must be read anew. A client that reads too slowly is cut off.',
        querystring: StreamQuery,
        headers: Type.Object({
          'last-event-id': Type.Optional(
            Type.String({ maxLength: 64, description: 'Id of the last event that was seen' }),
          ),
        }),
        response: {
          200: { description: 'Server-sent events', content: { 'text/event-stream': { schema: Type.String() } } },
          400: Problem,
          503: Problem,
        },
      },
    },
    (request, reply) => {
      const topics = parseTopics(request.query.topics);
      if (view.liveIsOff)
        throw new ProblemError(503, 'Live events are given up while memory is short', {
          hint: 'come back in a minute',
        });
      if (hub.full)
        throw new ProblemError(503, 'Cannot take more clients of the live stream', { hint: 'close another page' });
      const last = request.headers['last-event-id'];
      streamEvents(reply, (socket) => hub.join(socket, topics, typeof last === 'string' ? last : undefined));
    },
  );
}

function parseTopics(text: string | undefined): ReadonlySet<string> {
  if (text === undefined) return new Set(TOPICS);
  const topics = new Set(text.split(',').map((topic) => topic.trim()));
  for (const topic of topics) {
    if (!TOPICS.some((known) => known === topic)) {
      throw badParameter('topics', text, `must be one or more of ${TOPICS.join(', ')}, separated by commas`);
    }
  }
  return topics;
}
