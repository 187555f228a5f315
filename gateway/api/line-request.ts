import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { LinePrecision, LineWrites } from '../core/line-writes.ts';
import { ProblemError } from './problem.ts';

/** The words of the `precision` parameter in all of InfluxDB's versions. */
const PRECISIONS: Readonly<Record<string, LinePrecision>> = {
  n: 'ns',
  ns: 'ns',
  u: 'us',
  us: 'us',
  µ: 'us',
  ms: 'ms',
  s: 's',
  m: 'm',
  h: 'h',
};

/** The precision that a query parameter names; nanoseconds without one. @throws ProblemError for any other word */
export function precisionOf(given: unknown, allowed: readonly string[]): LinePrecision {
  if (given === undefined || given === '') return 'ns';
  if (typeof given === 'string' && allowed.includes(given)) return PRECISIONS[given]!;
  const reason = `is one of ${allowed.join(', ')}`;
  throw new ProblemError(400, `invalid precision '${String(given).slice(0, 200)}'`, {
    hint: `'precision' ${reason}`,
    errors: [{ parameter: 'precision', in: 'query', reason }],
  });
}

/** Lets the routes of a scope have their bodies as they come in, whatever type they are said to be. */
export function takeBodiesAsStreams(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
}

/** The body of such a route. An early end of reading leaves it to Node to let the rest go by, so that the answer can be read. */
export function bodyOf(request: FastifyRequest): AsyncIterable<Uint8Array> {
  const stream = request.body as Readable | undefined;
  return stream?.iterator({ destroyOnReturn: false }) ?? NO_BODY;
}

const NO_BODY: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => NOTHING };
const NOTHING: AsyncIterator<Uint8Array> = { next: async () => ({ done: true, value: undefined }) };

/** After so many seconds a request that found no room may come again. */
const RETRY_AFTER_SECONDS = 2;

/**
 * Writes the body of a request; resolves when all of it is durable.
 *
 * @throws ProblemError for everything else. Where some lines cannot be read the others are durable, and it says so in InfluxDB's words,
 * by which Telegraf knows not to send them again
 */
export async function writeLines(
  writes: LineWrites,
  precision: LinePrecision,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const length = request.headers['content-length'];
  const outcome = await writes.write({
    body: bodyOf(request),
    announcedBytes: length === undefined ? undefined : Number(length),
    encoding: encodingOf(request),
    precision,
  });
  switch (outcome.kind) {
    case 'durable':
      if (outcome.refused === 0) return;
      throw new ProblemError(400, `partial write: unable to parse ${outcome.reason} dropped=${outcome.refused}`, {
        hint: 'everything else is stored: do not send it again; what was dropped is listed under /api/v1/dead-letters',
      });
    case 'too-large':
      throw new ProblemError(413, `Cannot write: ${outcome.detail}`, { hint: 'send it in several requests' });
    case 'unreadable':
      throw new ProblemError(400, `unable to parse: ${outcome.detail}`, {});
    case 'busy':
      reply.header('retry-after', RETRY_AFTER_SECONDS);
      throw new ProblemError(503, `Cannot write now: ${outcome.detail}`, { hint: 'send all of it again in a moment' });
  }
}

function encodingOf(request: FastifyRequest): 'identity' | 'gzip' {
  const encoding = request.headers['content-encoding']?.toLowerCase() ?? 'identity';
  if (encoding === 'identity' || encoding === 'gzip') return encoding;
  if (encoding === 'x-gzip') return 'gzip';
  throw new ProblemError(415, `Cannot read a body with the content encoding '${encoding.slice(0, 200)}'`, {
    hint: 'gzip, or none',
  });
}

/** True when the client has gone before its request was there in full: nobody waits for an answer. */
export function isGone({ raw }: FastifyRequest): boolean {
  return raw.destroyed && !raw.complete;
}
