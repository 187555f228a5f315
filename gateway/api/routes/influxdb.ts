import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { messageOf } from '../../core/errors.ts';
import type { LineWrites } from '../../core/line-writes.ts';
import type { Logger } from '../../core/telemetry.ts';
import { bodyOf, isGone, precisionOf, takeBodiesAsStreams, writeLines } from '../line-request.ts';
import { ProblemError } from '../problem.ts';

const PRECISIONS = ['n', 'ns', 'u', 'us', 'µ', 'ms', 's', 'm', 'h'];
const MAX_QUERY_BYTES = 64 * 1024;

/** What errors are called in version 2; all others are an internal error. */
const CODES: Readonly<Record<number, string>> = {
  400: 'invalid',
  408: 'invalid',
  413: 'request too large',
  415: 'invalid',
  503: 'unavailable',
};

/**
 * The routes of InfluxDB by which clients of its versions 1 and 2, Telegraf's outputs among them, write: `/write`, `/api/v2/write`, and
 * what they ask before. Database, bucket and organisation are not looked at. Errors are in InfluxDB's own form.
 */
export function influxdbRoutes(app: FastifyInstance, writes: LineWrites, logger: Logger): void {
  takeBodiesAsStreams(app);
  app.setErrorHandler((error: FastifyError, request, reply) => answerError(error, request, reply, logger));
  // Beside the API that is described: these have their description elsewhere.
  const options = { config: { rateLimit: false as const }, schema: { hide: true } };
  const write = async (request: FastifyRequest, reply: FastifyReply) => {
    const { precision } = request.query as { precision?: unknown };
    await writeLines(writes, precisionOf(precision, PRECISIONS), request, reply);
    return reply.status(204).send();
  };
  app.post('/write', options, write);
  app.post('/api/v2/write', options, write);
  app.get('/ping', options, async (_request, reply) =>
    reply.status(204).header('x-influxdb-version', '1.8-headgate').header('x-influxdb-build', 'OSS').send(),
  );
  app.post('/query', options, async (request) => {
    const { q } = request.query as { q?: unknown };
    const statement = typeof q === 'string' ? q : (new URLSearchParams(await smallBody(request)).get('q') ?? '');
    if (!/^\s*CREATE\s+DATABASE\s/i.test(statement)) {
      throw new ProblemError(400, `Headgate answers no queries: '${statement.slice(0, 200)}'`, {});
    }
    // There is nothing to create: readings are kept by device and metric.
    return { results: [{ statement_id: 0 }] };
  });
}

async function smallBody(request: FastifyRequest): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of bodyOf(request)) {
    bytes += chunk.length;
    if (bytes > MAX_QUERY_BYTES) throw new ProblemError(413, `the query has more than ${MAX_QUERY_BYTES} bytes`, {});
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply, logger: Logger): FastifyReply {
  if (isGone(request)) return reply.hijack();
  const status = error.statusCode ?? 500;
  if (status >= 500 && status !== 503) logger.error({ error, method: request.method }, 'request failed');
  const message = status === 500 ? 'the gateway failed to answer; its log has the cause' : messageOf(error);
  const isV2 = request.url.startsWith('/api/v2/');
  return reply
    .status(status)
    .type('application/json')
    .send(isV2 ? { code: CODES[status] ?? 'internal error', message } : { error: message });
}
