import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { SinkError } from '../../core/sink.ts';

const compress = promisify(gzip);

/** Bodies below this many bytes go as they are: the gain would be smaller than a packet. */
const GZIP_MIN_BYTES = 1024;

/** What is read of an answer; the rest is thrown away. */
const MAX_ANSWER_BYTES = 256 * 1024;

/** A peer that asks to wait longer than this is asked again after this. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** What became of one write request, where it is not an error of the whole sink. */
export type Outcome =
  | { readonly kind: 'stored' }
  /** Some or all points are refused for ever; `dropped` of them by the server's count, where it gives one. */
  | { readonly kind: 'refused'; readonly message: string; readonly dropped: number | undefined }
  | { readonly kind: 'tooLarge' }
  | { readonly kind: 'noDatabase'; readonly message: string };

export interface WriteRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly gzip: boolean;
  readonly clock: Clock;
}

/**
 * Sends lines in one request. `signal` must include the time-out. Throws a `SinkError` for everything that is not about these
 * very lines: the network, the server's load, credentials, a wrong address.
 */
export async function send(lines: string, request: WriteRequest, signal: AbortSignal): Promise<Outcome> {
  let response: Response;
  let answer: string;
  try {
    response = await fetch(request.url, await requestInit(lines, request, signal));
    answer = await readAnswer(response);
  } catch (error) {
    throw networkError(error, request.url, signal);
  }
  return outcomeOf(response, answer, request);
}

async function requestInit(lines: string, request: WriteRequest, signal: AbortSignal): Promise<RequestInit> {
  const headers: Record<string, string> = { ...request.headers, 'content-type': 'text/plain; charset=utf-8' };
  let body: Uint8Array<ArrayBuffer> = Buffer.from(lines);
  if (request.gzip && body.length >= GZIP_MIN_BYTES) {
    // Level 1: line protocol shrinks to about a tenth even so, at a third of the CPU time of the default.
    body = await compress(body, { level: 1 });
    headers['content-encoding'] = 'gzip';
  }
  return { method: 'POST', headers, body, signal, redirect: 'manual' };
}

/** The beginning of the answer; consumed or cancelled, so that the socket is free again. */
async function readAnswer(response: Response): Promise<string> {
  if (response.body === null) return '';
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body) {
    parts.push(part);
    length += part.length;
    if (length >= MAX_ANSWER_BYTES) break;
  }
  return Buffer.concat(parts).toString('utf8');
}

function outcomeOf(response: Response, answer: string, request: WriteRequest): Outcome {
  const { status } = response;
  const words = wordsOf(answer);
  const said = `${request.url.origin} answered ${status}: ${shorten(words ?? answer)}`;
  const fail = (kind: 'transient' | 'configuration', message: string) => {
    const retryAfterMs = retryAfter(response.headers.get('retry-after'), request.clock);
    return new SinkError(message, { kind, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  };

  if (status === 204) return { kind: 'stored' };
  if (status === 413) return { kind: 'tooLarge' };
  // Some versions say this with 500, some with 404; waiting does not help.
  if (words !== undefined && /retention policy not found/.test(words)) {
    throw fail('configuration', `InfluxDB does not have the retention policy: ${said}`);
  }
  if (
    status === 404 &&
    words !== undefined &&
    /(database|bucket).*not found|not found.*(database|bucket)/i.test(words)
  ) {
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

function refusal(words: string): { message: string; dropped: number | undefined } {
  const dropped = / dropped=(\d+)$/.exec(words)?.[1];
  return { message: words, dropped: dropped === undefined ? undefined : Number(dropped) };
}

function networkError(error: unknown, url: URL, signal: AbortSignal): SinkError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as { code?: unknown } | null)?.code;
  if (signal.aborted) {
    const timedOut = signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError';
    const what = timedOut ? 'did not answer in time' : 'was not waited for: the request was aborted';
    return new SinkError(`InfluxDB at ${url.origin} ${what}`, { kind: 'transient', cause: error });
  }
  const certificate = typeof code === 'string' && /CERT|VERIFY|SELF_SIGNED|TLS/.test(code);
  const detail = messageOf(cause) || String(code);
  return new SinkError(`Cannot reach InfluxDB at ${url.origin}: ${detail}`, {
    kind: certificate ? 'configuration' : 'transient',
    cause: error,
  });
}

/** Milliseconds from a Retry-After header: seconds, or a date (RFC 9110 §10.2.3). */
export function retryAfter(header: string | null, clock: Clock): number | undefined {
  if (header === null) return undefined;
  const ms = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - clock.now();
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS) : undefined;
}

/** The beginning of a message, for a log line or a reason. */
export function shorten(text: string, max = 500): string {
  return text.length > max ? `${text.slice(0, max)}…` : text;
}
