import { type AddressInfo, createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { Api } from '../../../gateway/api/app.ts';
import { systemClock } from '../../../gateway/base/system-clock.ts';
import { GatewayError } from '../../../gateway/core/errors.ts';
import { FakeView } from './fake-view.ts';
import { KeepingLogger, startApi } from './start-api.ts';

const signal = new AbortController().signal;
const parts = { clock: systemClock, logger: new KeepingLogger() };
const running: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

async function refusal(api: Api): Promise<GatewayError> {
  const error: unknown = await api.start(signal).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof GatewayError)) throw new Error(`not refused: ${String(error)}`);
  return error;
}

describe('Api', () => {
  test('listening beyond loopback without users is refused, with what to do', async () => {
    for (const host of ['0.0.0.0', '::', '192.0.2.7', 'gateway.example']) {
      const error = await refusal(new Api({ listen: { host, port: 0 } }, new FakeView(), parts));
      expect(error.message).toContain(host);
      expect(error.hint).toContain('allowAnonymous');
    }
  });

  test('allowAnonymous lets it listen on every interface', async () => {
    const one = await startApi({ listen: { host: '0.0.0.0', port: 0 }, allowAnonymous: true });
    running.push(one);
    expect(one.api.url).toBe(`http://127.0.0.1:${one.api.port}/`);
    expect((await fetch(`${one.api.url}healthz`)).status).toBe(200);
  });

  test('a port in use is told with a hint', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const error = await refusal(new Api({ listen: { host: '127.0.0.1', port } }, new FakeView(), parts));
    expect(error.message).toContain(`127.0.0.1:${port}`);
    expect(error.hint).toContain('another port');
    server.close();
  });

  test('stop is safe before start and twice, and frees the port', async () => {
    const idle = new Api({ listen: { host: '127.0.0.1', port: 0 } }, new FakeView(), parts);
    await idle.stop(signal);
    const { api } = await startApi();
    const { port } = api;
    await api.stop(signal);
    await api.stop(signal);
    const again = new Api({ listen: { host: '127.0.0.1', port } }, new FakeView(), parts);
    await again.start(signal);
    await again.stop(signal);
  });

  test('stop ends an open stream and does not wait for it', async () => {
    const { api, stop } = await startApi();
    const response = await fetch(`${api.url}api/v1/stream`);
    await stop();
    const chunks: string[] = [];
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) chunks.push(chunk);
    expect(chunks.join('')).toContain('retry:');
  });
});
