import type { FastifyInstance } from 'fastify';
import type { LineWrites } from '../../core/line-writes.ts';
import { isGone, precisionOf, takeBodiesAsStreams, writeLines } from '../line-request.ts';
import { ProblemError } from '../problem.ts';
import { Problem } from '../problem-schemas.ts';
import { WriteBody, WriteQuery, Written } from '../write-schemas.ts';

const PRECISIONS = ['ns', 'us', 'ms', 's'];

/** `/api/v1/write`: line protocol in, answered when it is durable. What may be under way is bounded, so it has no rate limit. */
export function writeRoute(app: FastifyInstance, writes: LineWrites): void {
  takeBodiesAsStreams(app);
  app.post<{ Querystring: WriteQuery }>(
    '/api/v1/write',
    {
      config: { rateLimit: false },
      schema: {
        tags: ['data'],
        summary: 'Takes InfluxDB line protocol; answered once every reading is durable',
        description:
          'Gzip with Content-Encoding: gzip. The tag device, else the tag host, else the measurement is the device; measurement_field is the ' +
          'metric. Lines that cannot be read are set aside as dead letters, the others are kept: that is answered with 400 and "partial write".',
        querystring: WriteQuery,
        body: WriteBody,
        response: { 204: Written, 400: Problem, 408: Problem, 413: Problem, 415: Problem, 503: Problem },
      },
      // The schemas describe; the body is a stream, and the few words of the query are checked here, for all dialects.
      validatorCompiler: () => () => true,
    },
    async (request, reply) => {
      const unknown = Object.keys(request.query).find((name) => name !== 'precision');
      if (unknown !== undefined) {
        throw new ProblemError(400, `Cannot read parameter '${unknown.slice(0, 200)}': it is not known here`, {
          hint: '`precision` is the only one',
        });
      }
      try {
        await writeLines(writes, precisionOf(request.query.precision, PRECISIONS), request, reply);
      } catch (error) {
        if (!isGone(request)) throw error;
        return reply.hijack();
      }
      return reply.status(204).send();
    },
  );
}
