import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type {
  FastifyError,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  FastifySchemaValidationError,
} from 'fastify';
import { GatewayError, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/telemetry.ts';

/** Media type of every error, RFC 9457. */
export const PROBLEM_TYPE = 'application/problem+json';

/** One parameter that was wrong, and what is allowed. */
export interface ParameterError {
  readonly parameter: string;
  readonly in: string;
  readonly reason: string;
}

/** An error with a status for the caller; thrown in a route, answered as problem+json. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly statusCode: number;
  readonly hint: string | undefined;
  readonly errors: readonly ParameterError[] | undefined;
  readonly reasons: readonly string[] | undefined;

  constructor(
    statusCode: number,
    detail: string,
    options: { hint?: string; errors?: readonly ParameterError[]; reasons?: readonly string[] } = {},
  ) {
    super(detail);
    this.statusCode = statusCode;
    this.hint = options.hint;
    this.errors = options.errors;
    this.reasons = options.reasons;
  }
}

/** 409 for what the gateway refuses as things stand; throws the error itself where it is a fault. */
export function conflictOf(error: unknown): never {
  if (!(error instanceof GatewayError)) throw error;
  throw new ProblemError(409, error.message, error.hint === undefined ? {} : { hint: error.hint });
}

/** 400 for one query parameter; `reason` says what is allowed. */
export function badParameter(parameter: string, value: string, reason: string): ProblemError {
  return new ProblemError(400, `Cannot read parameter '${parameter}': current value is '${clip(value)}'`, {
    hint: `'${parameter}' ${reason}`,
    errors: [{ parameter, in: 'query', reason }],
  });
}

/** Makes every error of an instance a problem+json: unknown routes, refused input, limits, and faults of ours without their inside. */
export function answerProblems(app: FastifyInstance, logger: Logger): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (error instanceof ProblemError) {
      return sendProblem(request, reply, error.statusCode, error.message, {
        hint: error.hint,
        errors: error.errors,
        reasons: error.reasons,
      });
    }
    if (error.validation !== undefined) return sendInvalid(request, reply, error);
    const status = error.statusCode ?? 500;
    if (status >= 400 && status < 500) return sendProblem(request, reply, status, messageOf(error), {});
    logger.error({ error, method: request.method, path: pathOf(request.url) }, 'request failed');
    return sendProblem(request, reply, 500, 'The gateway failed to answer', { hint: 'its log has the cause' });
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(request, reply, 404, `There is no ${request.method} ${clip(pathOf(request.url))}`, {
      hint: 'the routes are described under /docs',
    }),
  );
}

function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  status: number,
  detail: string,
  extra: object,
): FastifyReply {
  return reply
    .status(status)
    .type(PROBLEM_TYPE)
    .serializer(JSON.stringify)
    .send({ ...problemOf(status, detail), ...extra, instance: clip(pathOf(request.url)) });
}

/** The body of a problem that the status explains. */
export function problemOf(status: number, detail: string) {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail };
}

function sendInvalid(request: FastifyRequest, reply: FastifyReply, error: FastifyError): FastifyReply {
  const place = error.validationContext === 'querystring' ? 'query' : (error.validationContext ?? 'request');
  const input = error.validationContext === 'querystring' ? request.query : request.body;
  const errors = parameterErrors(error.validation ?? [], place);
  const first = errors[0]?.parameter ?? '';
  const value = first !== '' && input !== null && typeof input === 'object' ? Reflect.get(input, first) : undefined;
  const current = value === undefined ? 'it is missing' : `current value is '${clip(String(value))}'`;
  const what = first === place ? `Cannot read the ${place}` : `Cannot read '${first}' in the ${place}: ${current}`;
  return sendProblem(request, reply, 400, what, {
    hint: errors.map((one) => `'${one.parameter}' ${one.reason}`).join('; '),
    errors,
  });
}

/** Of a parameter that takes one of some words, the validator tells each word that it is not; a person wants them in one list. */
function parameterErrors(found: readonly FastifySchemaValidationError[], place: string): readonly ParameterError[] {
  const words = found.filter(({ keyword }) => keyword === 'const');
  if (words.length === 0) return found.map((one) => parameterError(one, place));
  const allowed = words.map(({ params }) => String(params['allowedValue'])).join(', ');
  return [{ ...parameterError(words[0]!, place), reason: `must be one of: ${allowed}` }];
}

function parameterError(error: FastifySchemaValidationError, place: string): ParameterError {
  const { keyword, params, message } = error;
  const inside = error.instancePath.slice(1);
  if (keyword === 'required') {
    return { parameter: String(params['missingProperty']), in: place, reason: 'is required' };
  }
  if (keyword === 'additionalProperties') {
    return {
      parameter: clip(String(params['additionalProperty'])),
      in: place,
      reason: 'is not known here; leave it out',
    };
  }
  return { parameter: inside === '' ? place : inside, in: place, reason: message ?? 'is not allowed' };
}

/** Answers what Node's HTTP parser refused, before there is a request: time-outs, headers too large, broken HTTP. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, detail] =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? ([408, 'The request did not arrive in time'] as const)
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? ([431, 'The request headers are too large'] as const)
        : ([400, 'The request is not HTTP'] as const);
  socket.end(rawProblem(status, detail), () => socket.destroy());
}

/** A whole HTTP response with a problem as its body, for a socket that fastify does not hold. */
export function rawProblem(status: number, detail: string): string {
  const body = JSON.stringify(problemOf(status, detail));
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\nContent-Type: ${PROBLEM_TYPE}\r\n` +
    `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`
  );
}

function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

function clip(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
