import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { TimeLimitReached } from '../base/time-limit.ts';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { SinkError } from '../core/sink.ts';

/** What is read of an answer; the rest is thrown away. */
const MAX_ANSWER_BYTES = 256 * 1024;

/** A peer that asks to wait longer than this is asked again after this. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** What a server said to a request. */
export interface Answer {
  readonly status: number;
  /** The header Retry-After as it came. */
  readonly retryAfter: string | undefined;
  /** The body, read as UTF-8; a long one is cut. */
  readonly text: string;
}

/** Where a request goes, and over which connections. */
export interface Target {
  readonly url: URL;
  /** From `newAgent`; its owner destroys it, and with it every idle connection. */
  readonly agent: HttpAgent;
}

/** Keeps a few connections to one server open between requests. No proxy of the environment is asked. @param ca authorities in place of the system's, PEM */
export function newAgent(url: URL, ca?: string): HttpAgent {
  if (url.protocol !== 'https:') return new HttpAgent({ keepAlive: true });
  return new HttpsAgent({ keepAlive: true, ...(ca === undefined ? {} : { ca }) });
}

/**
 * Posts a body and reads the answer; redirects are answers. Rejects where there is no answer, and when `signal` aborts: see `networkError`.
 * Not by fetch: that keeps sockets of aborted requests open for seconds, and has no agent to destroy at a stop.
 */
export async function post(
  { url, agent }: Target,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
  signal: AbortSignal,
): Promise<Answer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const make = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = make(url, { method: 'POST', headers, agent, signal }, resolve);
    request.on('error', reject);
    request.end(body);
  });
  const { statusCode: status = 0, headers: answered } = response;
  const text = await readText(response).catch((error: unknown) => {
    // It was taken, whatever else was to be said: sent again, a person would be told again and again.
    if (status >= 200 && status < 300) return '';
    throw error;
  });
  return { status, retryAfter: answered['retry-after'], text };
}

/** The beginning of the answer; what is longer is cut, and its connection given up. */
async function readText(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    parts.push(part);
    length += part.length;
    if (length >= MAX_ANSWER_BYTES) break;
  }
  return Buffer.concat(parts).toString('utf8');
}

/** Why there was no answer. @param peer what a person calls the server */
export function networkError(peer: string, error: unknown, url: URL, signal: AbortSignal): SinkError {
  if (signal.aborted) {
    const what =
      signal.reason instanceof TimeLimitReached
        ? 'did not answer in time'
        : 'was not waited for: the request was aborted';
    return new SinkError(`${peer} at ${url.origin} ${what}`, { kind: 'transient', cause: error });
  }
  const code = (error as { code?: unknown } | null)?.code;
  // Where a name has several addresses the message is empty and the code says it.
  return new SinkError(`Cannot reach ${peer} at ${url.origin}: ${messageOf(error) || String(code)}`, {
    kind: isCertificateProblem(error) ? 'configuration' : 'transient',
    cause: error,
  });
}

/** Whether a connection failed for a certificate, which waiting does not mend. */
export function isCertificateProblem(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /CERT|VERIFY|SELF_SIGNED/.test(code);
}

/** Milliseconds from a Retry-After header: seconds, or a date (RFC 9110 §10.2.3); undefined where there is none. */
export function retryAfterMs(header: string | undefined, clock: Clock): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\s*\d+\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - clock.now();
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS) : undefined;
}

/** The beginning of a message, for a log line or a reason. */
export function shorten(text: string, max = 500): string {
  return text.length > max ? `${text.slice(0, max)}…` : text;
}
