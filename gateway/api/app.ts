import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Clock } from '../core/clock.ts';
import { GatewayError } from '../core/errors.ts';
import type { Lifecycle } from '../core/lifecycle.ts';
import type { LineWrites } from '../core/line-writes.ts';
import type { Logger } from '../core/telemetry.ts';
import type { GatewayView } from '../core/view.ts';
import { EventHub, type EventHubOptions } from './event-hub.ts';
import { makeHttp } from './http.ts';
import { checkListen, isLoopback, type Listen, listenError } from './listen.ts';
import { MqttUpgrade, type OnUpgrade } from './mqtt-upgrade.ts';
import { PageFiles } from './page-files.ts';
import { TapStreams } from './tap-streams.ts';

export type { Listen } from './listen.ts';
export type { OnUpgrade } from './mqtt-upgrade.ts';

/** What the configuration says about the API. */
export interface ApiOptions {
  readonly listen: Listen;
  /** Lets anybody who can reach the port in; needed to listen beyond loopback while there are no users. @default false */
  readonly allowAnonymous?: boolean | undefined;
  /** Bounds of the live stream. */
  readonly stream?: EventHubOptions | undefined;
  /** How long a request may take to arrive, in milliseconds. @default 15 000 */
  readonly requestTimeoutMs?: number | undefined;
}

/** What the API is given to work with. */
export interface ApiParts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Receives MQTT over WebSocket; without it upgrades are refused. */
  readonly onUpgrade?: OnUpgrade | undefined;
  /** Takes line protocol; without it there are no routes to write to. */
  readonly writes?: LineWrites | undefined;
}

/** HTTP: the page, the API and MQTT over WebSocket, on one port. Sees the gateway through a `GatewayView` alone. */
export class Api implements Lifecycle {
  readonly #options: ApiOptions;
  readonly #view: GatewayView;
  readonly #parts: ApiParts;
  #running: { http: FastifyInstance; hub: EventHub; taps: TapStreams; upgrade: MqttUpgrade } | undefined;
  #port: number | undefined;

  constructor(options: ApiOptions, view: GatewayView, parts: ApiParts) {
    this.#options = options;
    this.#view = view;
    this.#parts = parts;
  }

  /** The port it listens on; the configured one before `start`. */
  get port(): number {
    return this.#port ?? this.#options.listen.port;
  }

  /** Where a browser on this machine finds the page. */
  get url(): string {
    const { host } = this.#options.listen;
    const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
    return `http://${name}:${this.port}/`;
  }

  /** The application itself, for tests that need no socket. Undefined unless started. */
  get http(): FastifyInstance | undefined {
    return this.#running?.http;
  }

  async start(signal: AbortSignal): Promise<void> {
    const { listen, allowAnonymous = false, stream, requestTimeoutMs } = this.#options;
    const { clock, logger, onUpgrade, writes } = this.#parts;
    checkListen(listen, allowAnonymous);
    signal.throwIfAborted();
    if (this.#running !== undefined) throw new GatewayError('Cannot start the API twice', { hint: 'stop it first' });
    const hub = new EventHub(this.#view, clock, stream);
    const taps = new TapStreams(this.#view.inspection, clock);
    const upgrade = new MqttUpgrade(onUpgrade, logger);
    const context = { view: this.#view, hub, taps, upgrade, files: new PageFiles(), writes };
    const http = await makeHttp(context, {
      logger,
      loopback: isLoopback(listen.host) && !allowAnonymous,
      requestTimeoutMs,
    });
    this.#running = { http, hub, taps, upgrade };
    try {
      // Not with `signal`: Node would close the server whenever that aborts, long after the start too.
      await http.listen({ host: listen.host, port: listen.port });
    } catch (error) {
      await this.stop(signal);
      throw listenError(listen, error);
    }
    this.#port = (http.server.address() as AddressInfo).port;
    logger.info({ url: this.url }, 'API listening');
  }

  /** Ends live streams and WebSockets at once; requests under way are answered first, until `signal` aborts. */
  async stop(signal: AbortSignal): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    running.hub.stop();
    running.taps.stop();
    running.upgrade.stop();
    const cut = () => running.http.server.closeAllConnections();
    signal.addEventListener('abort', cut, { once: true });
    const closed = running.http.close();
    if (signal.aborted) cut();
    await closed;
    signal.removeEventListener('abort', cut);
  }
}
