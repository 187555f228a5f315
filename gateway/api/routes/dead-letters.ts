import type { FastifyInstance } from 'fastify';
import { DeadLettersQuery, DeadLettersReply } from '../dead-letters-schemas.ts';
import { Problem } from '../problem-schemas.ts';
import type { RouteContext } from './context.ts';

/** `/api/v1/dead-letters`: what was set aside, and why. */
export function deadLettersRoutes(app: FastifyInstance, { view }: RouteContext): void {
  app.get<{ Querystring: DeadLettersQuery }>(
    '/api/v1/dead-letters',
    {
      schema: {
        tags: ['gateway'],
        summary: 'Data that was set aside, with its reason, newest first',
        querystring: DeadLettersQuery,
        response: { 200: DeadLettersReply, 400: Problem },
      },
    },
    async ({ query }) => {
      const letters = await view.deadLetters(query.limit);
      return {
        deadLetters: letters.map(({ origin, reason, time, subject, payload, times = 1 }) => {
          const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
          return {
            origin,
            reason,
            time,
            subject,
            text: bytes.toString(),
            base64: bytes.toString('base64'),
            bytes: bytes.length,
            times,
          };
        }),
      };
    },
  );
}
