import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Logger } from '../core/telemetry.ts';
import { isLoopback } from './listen.ts';
import { sameOrigin } from './mqtt-upgrade.ts';
import { answerClientError, answerProblems, PROBLEM_TYPE, ProblemError, problemOf } from './problem.ts';
import { aggregatesRoutes } from './routes/aggregates.ts';
import { alarmsRoutes } from './routes/alarms.ts';
import { configRoutes } from './routes/config.ts';
import type { RouteContext } from './routes/context.ts';
import { deadLettersRoutes } from './routes/dead-letters.ts';
import { explainRoutes } from './routes/explain.ts';
import { healthRoutes } from './routes/health.ts';
import { influxdbRoutes } from './routes/influxdb.ts';
import { ledgerRoutes } from './routes/ledger.ts';
import { maintenanceRoutes } from './routes/maintenance.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { pageRoutes } from './routes/page.ts';
import { readingsRoutes } from './routes/readings.ts';
import { seriesRoutes } from './routes/series.ts';
import { statusRoutes } from './routes/status.ts';
import { streamRoutes } from './routes/stream.ts';
import { tapRoutes } from './routes/taps.ts';
import { writeRoute } from './routes/write.ts';

const BODY_LIMIT_BYTES = 64 * 1024;
const REQUEST_TIMEOUT_MS = 15_000;
const HEADERS_TIMEOUT_MS = 5_000;
const MAX_HEADER_BYTES = 16 * 1024;
const MAX_CONNECTIONS = 1_024;
const REQUESTS_A_MINUTE = 1_200;

/** What `makeHttp` may be told. */
export interface HttpOptions {
  readonly logger: Logger;
  /** The gateway listens on loopback only: then a Host that is neither an address nor `localhost` is refused (DNS rebinding). */
  readonly loopback: boolean;
  /** How long a request may take to arrive, in milliseconds. @default 15 000 */
  readonly requestTimeoutMs?: number | undefined;
}

/** The HTTP application with every route, not yet listening. */
export async function makeHttp(context: RouteContext, options: HttpOptions): Promise<FastifyInstance> {
  const requestTimeout = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
  const app = Fastify({
    logger: false,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout,
    forceCloseConnections: 'idle',
    clientErrorHandler: answerClientError,
    routerOptions: { maxParamLength: 4096 },
    http: {
      headersTimeout: Math.min(HEADERS_TIMEOUT_MS, requestTimeout),
      maxHeaderSize: MAX_HEADER_BYTES,
      connectionsCheckingInterval: 1_000,
    },
    ajv: { customOptions: { allErrors: false, removeAdditional: false, coerceTypes: true } },
    // A path that cannot be decoded; the error handler is not reached from here.
    frameworkErrors: (_error, _request, reply) => {
      reply.hijack();
      reply.raw.writeHead(400, { 'content-type': PROBLEM_TYPE });
      reply.raw.end(JSON.stringify(problemOf(400, 'The path cannot be read')));
    },
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  app.server.on('upgrade', (request, socket, head) => context.upgrade.handle(request, socket, head));
  // Response schemas describe, and tests hold the answers to them; serialising by them would cut what they do not name.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  answerProblems(app, options.logger);
  refuseForeigners(app, options.loopback);
  await protect(app, context);
  await describe(app);
  for (const routes of [
    healthRoutes,
    metricsRoutes,
    statusRoutes,
    ledgerRoutes,
    seriesRoutes,
    readingsRoutes,
    aggregatesRoutes,
    alarmsRoutes,
    maintenanceRoutes,
    deadLettersRoutes,
    configRoutes,
    streamRoutes,
    tapRoutes,
    explainRoutes,
    pageRoutes,
  ]) {
    app.register(async (scope) => routes(scope, context));
  }
  const { writes } = context;
  if (writes !== undefined) {
    app.register(async (scope) => writeRoute(scope, writes));
    app.register(async (scope) => influxdbRoutes(scope, writes, options.logger));
  }
  await app.ready();
  return app;
}

/** Without users, the only guard against other web pages in the operator's browser is who they say they are. */
function refuseForeigners(app: FastifyInstance, loopback: boolean): void {
  app.addHook('onRequest', async (request) => {
    if (loopback && !isLocalHost(request.headers.host)) {
      throw new ProblemError(421, `Cannot answer for host '${(request.headers.host ?? '').slice(0, 200)}'`, {
        hint: 'on loopback the host must be localhost or an address; let a proxy in front send that',
      });
    }
    if (request.method !== 'GET' && request.method !== 'HEAD' && !sameOrigin(request.raw)) {
      throw new ProblemError(403, `Cannot change anything for the foreign origin '${request.headers.origin ?? ''}'`, {
        hint: 'call from the page of this gateway, or without an Origin header',
      });
    }
  });
}

function isLocalHost(host: string | undefined): boolean {
  if (host === undefined) return true; // HTTP/1.0: no browser
  const name = host.replace(/:\d+$/, '');
  return isLoopback(name.replace(/^\[|\]$/g, '')) || /^\d+\.\d+\.\d+\.\d+$/.test(name) || name.startsWith('[');
}

async function protect(app: FastifyInstance, { files }: RouteContext): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'", await files.importMapHash()],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    // The gateway speaks plain HTTP inside a plant: these three mean nothing there, and browsers complain of them.
    strictTransportSecurity: false,
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
  });
  await app.register(rateLimit, { max: REQUESTS_A_MINUTE, timeWindow: 60_000 });
}

async function describe(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Headgate',
        version: '1',
        description:
          'The gateway as scripts see it. Times are epoch milliseconds; errors are application/problem+json.',
      },
      tags: [
        { name: 'health', description: 'For probes and Prometheus' },
        { name: 'gateway', description: 'The gateway itself' },
        { name: 'data', description: 'Readings and window results' },
        { name: 'alarms', description: 'What the detectors raised' },
        { name: 'inside', description: 'What happens to readings on their way' },
      ],
    },
  });
  app.get(
    '/openapi.json',
    {
      schema: {
        tags: ['health'],
        summary: 'This description',
        response: { 200: { type: 'object', description: 'OpenAPI 3.1' } },
      },
    },
    async () => app.swagger(),
  );
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    // Its own bundle sets inline styles; scripts stay our own.
    staticCSP:
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
      "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    uiConfig: { validatorUrl: null },
  });
}
