import type { Agent } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Clock } from '../../core/clock.ts';
import { SinkError } from '../../core/sink.ts';
import { type Answer, networkError, post, retryAfterMs, shorten } from '../http.ts';

const compress = promisify(gzip);

/** Bodies below this many bytes go as they are: the gain would be smaller than a packet. */
const GZIP_MIN_BYTES = 1024;

/** What became of one write request, where it is not an error of the whole sink. */
export type Outcome =
  | { readonly kind: 'stored' }
  /** Some or all points are refused for ever; `dropped` of them by the server's count, where it gives one. */
  | { readonly kind: 'refused'; readonly reason: string; readonly dropped: number | undefined }
  | { readonly kind: 'tooLarge' }
  | { readonly kind: 'noDatabase'; readonly message: string };

/** What all write requests of a sink have in common. */
export interface WriteRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly gzip: boolean;
  readonly clock: Clock;
  /** From `newAgent`; its owner destroys it, and with it every idle connection. */
  readonly agent: Agent;
}

/**
 * Sends lines in one request. `signal` must include the time-out. Throws a `SinkError` for everything that is not about these
 * very lines: the network, the server's load, credentials, a wrong address.
 */
export async function send(lines: string, request: WriteRequest, signal: AbortSignal): Promise<Outcome> {
  try {
    const { headers, body } = await bodyOf(lines, request);
    return outcomeOf(await post(request, headers, body, signal), request);
  } catch (error) {
    throw error instanceof SinkError ? error : networkError('InfluxDB', error, request.url, signal);
  }
}

async function bodyOf(
  lines: string,
  request: WriteRequest,
): Promise<{ headers: Record<string, string>; body: Buffer }> {
  const headers: Record<string, string> = { ...request.headers, 'content-type': 'text/plain; charset=utf-8' };
  let body = Buffer.from(lines);
  if (request.gzip && body.length >= GZIP_MIN_BYTES) {
    // Level 1: line protocol shrinks to about a tenth even so, at a third of the CPU time of the default.
    body = await compress(body, { level: 1 });
    headers['content-encoding'] = 'gzip';
  }
  headers['content-length'] = String(body.length);
  return { headers, body };
}

function outcomeOf(answer: Answer, request: WriteRequest): Outcome {
  const { status } = answer;
  const words = wordsOf(answer.text);
  const said = `${request.url.origin} answered ${status}: ${shorten(words ?? answer.text)}`;
  const fail = (kind: 'transient' | 'configuration', message: string) => {
    const waitMs = retryAfterMs(answer.retryAfter, request.clock);
    return new SinkError(message, { kind, ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }) });
  };

  if (status === 204) return { kind: 'stored' };
  if (status === 413) return { kind: 'tooLarge' };
  // Some versions say this with 500, some with 404; waiting does not help.
  if (words !== undefined && /retention policy not found/.test(words)) {
    throw fail('configuration', `InfluxDB does not have the retention policy: ${said}`);
  }
  if (status === 404 && words !== undefined && /(database|bucket).*not found/i.test(words)) {
    return { kind: 'noDatabase', message: said };
  }
  if ((status === 400 || status === 422) && words !== undefined) return { kind: 'refused', ...refusal(words) };
  if (status === 401 || status === 403) throw fail('configuration', `InfluxDB refuses the credentials: ${said}`);
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    throw fail('transient', `InfluxDB cannot take data now: ${said}`);
  }
  // 200 included: only 204 says that the points are stored, and a proxy or a portal says 200 to anything.
  throw fail(
    'configuration',
    `This is not an InfluxDB write endpoint: ${said}. Check the url and the version of the sink`,
  );
}

/** The server's own words out of its JSON answer; undefined where the answer is not InfluxDB's. */
function wordsOf(answer: string): string | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(answer);
  } catch {
    return undefined; // HTML of a proxy, or nothing
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const { error, message } = parsed as { error?: unknown; message?: unknown };
  if (typeof error === 'string') return error;
  return typeof message === 'string' ? message : undefined;
}

function refusal(words: string): { reason: string; dropped: number | undefined } {
  const dropped = / dropped=(\d+)$/.exec(words)?.[1];
  return { reason: words.replace(/ dropped=\d+$/, ''), dropped: dropped === undefined ? undefined : Number(dropped) };
}
