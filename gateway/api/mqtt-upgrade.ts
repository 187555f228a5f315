import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, WebSocketServer } from 'ws';
import type { Logger } from '../core/telemetry.ts';
import { rawProblem } from './problem.ts';

/** Takes an MQTT connection that came in over WebSocket on `path`; the receiver owns the stream and listens to its errors. */
export type OnUpgrade = (path: string, stream: Duplex, request: IncomingMessage) => void;

/** The only path that upgrades. */
export const MQTT_PATH = '/mqtt';

// One MQTT packet a frame is what clients do: the largest payload of 1 MiB, and its topic.
const MAX_FRAME_BYTES = 1024 * 1024 + 128 * 1024;
const MAX_SOCKETS = 1000;
const SUBPROTOCOLS = ['mqtt', 'mqttv3.1'];

/** MQTT over WebSocket: turns an upgrade request on `/mqtt` into a stream of bytes. */
export class MqttUpgrade {
  readonly #server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
    clientTracking: true,
    handleProtocols: (offered) => SUBPROTOCOLS.find((name) => offered.has(name)) ?? false,
  });
  readonly #onUpgrade: OnUpgrade | undefined;
  readonly #logger: Logger;

  constructor(onUpgrade: OnUpgrade | undefined, logger: Logger) {
    this.#onUpgrade = onUpgrade;
    this.#logger = logger;
  }

  /** Connections open just now. */
  get sockets(): number {
    return this.#server.clients.size;
  }

  /** For the server's `upgrade` event: upgrades, or answers why not and closes. */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', (error) => this.#logger.debug({ error }, 'upgraded socket failed'));
    const onUpgrade = this.#onUpgrade;
    const path = (request.url ?? '').split('?', 1)[0];
    if (onUpgrade === undefined || path !== MQTT_PATH) {
      refuse(socket, 404, 'There is no WebSocket here');
    } else if (!sameOrigin(request)) {
      refuse(socket, 403, `Cannot upgrade for the foreign origin '${request.headers.origin ?? ''}'`);
    } else if (!offersMqtt(request)) {
      refuse(socket, 400, "Cannot upgrade without the subprotocol 'mqtt'");
    } else if (this.sockets >= MAX_SOCKETS) {
      refuse(socket, 503, `Cannot take more than ${MAX_SOCKETS} WebSocket connections`);
    } else {
      this.#server.handleUpgrade(request, socket, head, (webSocket) => {
        const stream = createWebSocketStream(webSocket);
        stream.on('error', (error) => this.#logger.debug({ error }, 'WebSocket stream failed'));
        onUpgrade(MQTT_PATH, stream, request);
      });
    }
  }

  /** Closes every connection at once. */
  stop(): void {
    for (const webSocket of this.#server.clients) webSocket.terminate();
    this.#server.close();
  }
}

/** True unless a page of another origin sent the request: browsers always name the origin where they must. */
export function sameOrigin(request: IncomingMessage): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined) return true;
  try {
    return new URL(origin).host === host;
  } catch {
    return false; // 'null' and other opaque origins
  }
}

function offersMqtt(request: IncomingMessage): boolean {
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  return SUBPROTOCOLS.some((name) => offered.includes(name));
}

function refuse(socket: Duplex, status: number, detail: string): void {
  socket.end(rawProblem(status, detail), () => socket.destroy());
}
