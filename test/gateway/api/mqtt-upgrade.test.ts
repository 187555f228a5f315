import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startApi } from './start-api.ts';

const running: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

async function withUpgrade() {
  const streams: Duplex[] = [];
  const one = await startApi({}, { onUpgrade: (_path, stream) => streams.push(stream) });
  running.push(one);
  return { ...one, streams, base: one.api.url.replace('http', 'ws') };
}

/** The status that the server refused the upgrade with. */
async function refused(socket: WebSocket): Promise<number> {
  const [, response] = await once(socket, 'unexpected-response');
  socket.on('error', () => undefined); // ws tells the refusal a second time as an error
  socket.terminate();
  return response.statusCode;
}

describe('MQTT over WebSocket', () => {
  test('bytes pass both ways on /mqtt with the subprotocol mqtt', async () => {
    const { base, streams } = await withUpgrade();
    const socket = new WebSocket(`${base}mqtt`, ['mqtt']);
    await once(socket, 'open');
    expect(socket.protocol).toBe('mqtt');
    expect(socket.extensions).toBe('');
    const [stream] = streams;
    if (stream === undefined) throw new Error('no stream was handed on');
    socket.send(Buffer.from([0x10, 0x00]));
    const [data] = await once(stream, 'data');
    expect([...data]).toEqual([0x10, 0x00]);
    stream.write(Buffer.from([0x20, 0x02]));
    const [message] = await once(socket, 'message');
    expect([...message]).toEqual([0x20, 0x02]);
    socket.close();
  });

  test('another path, no subprotocol, and a foreign page are refused', async () => {
    const { base, streams } = await withUpgrade();
    expect(await refused(new WebSocket(`${base}other`, ['mqtt']))).toBe(404);
    expect(await refused(new WebSocket(`${base}mqtt`))).toBe(400);
    expect(await refused(new WebSocket(`${base}mqtt`, ['mqtt'], { origin: 'http://evil.example' }))).toBe(403);
    expect(streams).toEqual([]);
  });

  test('without a broker the upgrade is refused', async () => {
    const one = await startApi();
    running.push(one);
    expect(await refused(new WebSocket(`${one.api.url.replace('http', 'ws')}mqtt`, ['mqtt']))).toBe(404);
  });

  test('a frame beyond the limit closes only its own connection', async () => {
    const { base } = await withUpgrade();
    const neighbour = new WebSocket(`${base}mqtt`, ['mqtt']);
    const socket = new WebSocket(`${base}mqtt`, ['mqtt']);
    await Promise.all([once(neighbour, 'open'), once(socket, 'open')]);
    socket.on('error', () => undefined); // the reset, where it comes before the close frame
    socket.send(Buffer.alloc(3 * 1024 * 1024));
    const [code] = await once(socket, 'close');
    expect([1006, 1009]).toContain(code);
    expect(neighbour.readyState).toBe(WebSocket.OPEN);
    neighbour.terminate();
  });

  test('stop closes connections at once', async () => {
    const { base, stop } = await withUpgrade();
    const socket = new WebSocket(`${base}mqtt`, ['mqtt']);
    await once(socket, 'open');
    const closed = once(socket, 'close');
    await stop();
    await closed;
  });
});
