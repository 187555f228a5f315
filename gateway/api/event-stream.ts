import type { FastifyReply } from 'fastify';
import type { StreamSocket } from './event-hub.ts';

/**
 * Makes an answer a stream of server-sent events.
 *
 * @param join takes the connection; returns how to leave, which is called when it closes
 */
export function streamEvents(reply: FastifyReply, join: (socket: StreamSocket) => () => void): void {
  reply.hijack();
  const { raw } = reply;
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value);
  raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    connection: 'close', // nothing can follow on it, and a stopping server need not wait for it
    'x-accel-buffering': 'no', // nginx: pass each event on at once
  });
  const leave = join(raw);
  raw.on('close', leave);
  // A write that lost the race against a closing connection.
  raw.on('error', leave);
}
