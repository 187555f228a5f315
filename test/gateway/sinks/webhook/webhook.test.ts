import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../../gateway/base/system-clock.ts';
import { GatewayError } from '../../../../gateway/core/errors.ts';
import type { AlarmEvent, Result } from '../../../../gateway/core/result.ts';
import { SinkError } from '../../../../gateway/core/sink.ts';
import { WebhookSink, type WebhookSinkOptions } from '../../../../gateway/sinks/webhook/webhook.ts';
import { requireProgram } from '../../../services/require-program.ts';
import { failureOf } from '../failure.ts';
import { type Answer, PretendedServer, type Received } from '../pretended-server.ts';
import { aggregate, alarm, seriesOf, T0 } from '../results.ts';

/** What of a message is looked at here. */
interface Told {
  readonly type?: string;
  readonly data?: { readonly alarm?: string };
}

const signal = new AbortController().signal;
const status =
  (code: number, text = '', headers: Record<string, string> = {}): Answer<Told> =>
  (_, response) =>
    response.writeHead(code, headers).end(text);

/** Faults that a real server does not make on demand: a pretended one. Real ones are in test/services. */
describe('WebhookSink', () => {
  let server: PretendedServer<Told>;

  beforeEach(async () => {
    server = await PretendedServer.start<Told>((text) => JSON.parse(text));
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await server.stop();
  });

  function sinkOf(change: Partial<WebhookSinkOptions> = {}): WebhookSink {
    const alarms = { severity: 'info', series: '*' } as const;
    const options = {
      name: 'phones',
      url: `${server.url}/canary-path`,
      gateway: { name: 'hall', tags: {} },
      format: 'json',
      alarms,
      ...change,
    };
    return new WebhookSink(options as WebhookSinkOptions, { clock: systemClock });
  }
  const failure = async (
    sink: WebhookSink,
    batch: readonly Result[] = [alarm()],
    until = signal,
  ): Promise<SinkError> => {
    const error = await failureOf(sink.write(batch, until));
    expect(error.message).not.toContain('canary');
    return error;
  };
  const many = (count: number): readonly AlarmEvent[] =>
    Array.from({ length: count }, (_, i) => alarm({ raisedAt: T0 + i }));
  const told = () => server.received.map(({ body }) => Number(body.data?.alarm?.split('@').at(-1)) - T0);

  it('posts each step by itself, in order, with an id of its own that stays when it is sent again', async () => {
    const batch = [alarm(), alarm({ state: 'cleared', time: T0 + 9000 })];
    expect(await sinkOf().write(batch, signal)).toEqual([]);
    expect(await sinkOf().write(batch, signal)).toEqual([]);
    expect(server.received.map(({ body }) => body.type)).toEqual([
      'alarm.raised',
      'alarm.cleared',
      'alarm.raised',
      'alarm.cleared',
    ]);
    const ids = server.received.map(({ headers }) => headers['webhook-id']);
    expect(ids.slice(0, 2)).toEqual(ids.slice(2));
    expect(new Set(ids).size).toBe(2);
    expect(server.received[0]).toMatchObject({
      url: '/canary-path',
      headers: { 'content-type': 'application/json', 'user-agent': 'Headgate' },
    });
  });

  it('sends the headers it was given, and its own in place of those of the same name', async () => {
    await sinkOf({ headers: { Authorization: 'Bearer x', 'Content-Type': 'text/html' } }).write([alarm()], signal);
    expect(server.received[0]?.headers).toMatchObject({
      authorization: 'Bearer x',
      'content-type': 'application/json',
    });
  });

  it('takes the alarms that were chosen, no results of windows, and not what a person has done', () => {
    const sink = sinkOf({ alarms: { severity: 'warning', series: 'press-1/*' } });
    expect(sink.stores(alarm())).toBe(true);
    expect(sink.stores(alarm({ state: 'cleared' }))).toBe(true);
    expect(sink.stores(alarm({ severity: 'critical' }))).toBe(true);
    expect(sink.stores(alarm({ severity: 'info' }))).toBe(false);
    expect(sink.stores(alarm({ series: seriesOf('press-2', 'temperature') }))).toBe(false);
    expect(sink.stores(alarm({ state: 'acknowledged' }))).toBe(false);
    expect(sink.stores(aggregate())).toBe(false);
  });

  it('tells nobody of what is shelved or comes in a flood, but Alertmanager that it is over', () => {
    const [sink, mirror] = [sinkOf(), sinkOf({ format: 'alertmanager' })];
    for (const suppressed of ['shelved', 'flood'] as const) {
      expect(sink.stores(alarm({ suppressed }))).toBe(false);
      expect(mirror.stores(alarm({ suppressed }))).toBe(false);
      expect(sink.stores(alarm({ suppressed, state: 'cleared', active: false }))).toBe(false);
      expect(mirror.stores(alarm({ suppressed, state: 'cleared', active: false }))).toBe(true);
    }
    expect(sink.stores(alarm({ state: 'unshelved', active: true }))).toBe(true);
    expect(sink.stores(alarm({ state: 'unshelved', active: false }))).toBe(false);
  });

  it.each([200, 201, 202, 204, 299])('counts %i as told', async (code) => {
    server.answer = status(code);
    expect(await sinkOf().write([alarm()], signal)).toEqual([]);
  });

  it.each([400, 402, 409, 410, 413, 415, 422, 451])(
    'sets aside what is answered by %i, with the beginning of the answer, and its neighbours go on',
    async (code) => {
      server.answer = ({ body }, response) =>
        body.data?.alarm?.endsWith(String(T0 + 1))
          ? status(code, `no such channel ${'x'.repeat(10_000)}`)({} as Received<Told>, response)
          : response.end();
      const batch = many(3);
      const rejections = await sinkOf().write(batch, signal);
      expect(rejections).toMatchObject([
        { result: batch[1], reason: expect.stringContaining(`answered ${code}: no such channel x`) },
      ]);
      expect(rejections[0]?.reason.length).toBeLessThan(300);
      expect(rejections[0]?.reason).not.toContain('canary');
      expect(told()).toEqual([0, 1, 2]);
    },
  );

  it.each([401, 403, 404, 405, 407])('keeps everything for a person to act when it is answered by %i', async (code) => {
    server.answer = status(code, 'who are you?');
    expect(await failure(sinkOf(), many(3))).toMatchObject({
      kind: 'configuration',
      message: expect.stringMatching(/answered \d+: who are you\?\. Check the url/),
    });
    expect(server.received).toHaveLength(1);
  });

  it.each([404, 400, 500])(
    'shows nothing of the address and the headers where the server repeats them (%i)',
    async (code) => {
      const key = 'canary key/with+signs';
      const url = `${server.url}/hooks/canary%20room?one=1&token=canary-token`;
      const sink = sinkOf({ url, headers: { 'x-key': key, authorization: 'Bearer canary-bearer' } });
      server.answer = ({ url: asked, headers }, response) => {
        const html = `Cannot POST ${asked} ${asked.replaceAll('&', '&amp;')} ${decodeURIComponent(asked)} canary room`;
        response
          .writeHead(code)
          .end(`${html} for ${headers['x-key']}, Bearer canary-bearer`.padEnd(2_000, ' canary-token'));
      };
      const shown = code === 400 ? (await sink.write([alarm()], signal))[0]!.reason : (await failure(sink)).message;
      expect(shown).toContain(`answered ${code}: Cannot POST ********`);
      expect(shown).not.toContain('canary');
    },
  );

  it.each([301, 302, 307, 308])('follows no redirect (%i), and says so', async (code) => {
    server.answer = status(code, '', { location: `${server.url}/elsewhere` });
    expect(await failure(sinkOf())).toMatchObject({
      kind: 'configuration',
      message: expect.stringContaining('redirect is not followed'),
    });
    expect(server.received.map((one) => one.url)).toEqual(['/canary-path']);
  });

  it.each([
    [408, undefined, undefined],
    [425, undefined, undefined],
    [429, '7', 7000],
    [429, 'soon', undefined],
    [500, undefined, undefined],
    [503, '99999', 3_600_000],
    [529, undefined, undefined],
  ])('keeps everything for later when it is answered by %i and Retry-After %s', async (code, retryAfter, ms) => {
    server.answer = status(code, 'busy', retryAfter === undefined ? {} : { 'retry-after': retryAfter });
    expect(await failure(sinkOf())).toMatchObject({ kind: 'transient', retryAfterMs: ms });
  });

  it('sends again only what was not answered, and remembers what was refused', async () => {
    const batch = many(10);
    server.answer = ({ body }, response) => {
      if (body.data?.alarm === batch[2]!.id) response.writeHead(400).end('bad');
      else if (body.data?.alarm === batch[6]!.id) response.writeHead(503).end();
      else response.end();
    };
    const sink = sinkOf();
    expect((await failure(sink, batch)).kind).toBe('transient');
    server.answer = status(200);
    // As a forwarder does, in smaller batches.
    const rejections = [
      ...(await sink.write(batch.slice(0, 5), signal)),
      ...(await sink.write(batch.slice(5), signal)),
    ];
    expect(rejections.map(({ result }) => result)).toEqual([batch[2]]);
    expect(told()).toEqual([0, 1, 2, 3, 4, 5, 6, 6, 7, 8, 9]);
    await sink.write(batch.slice(0, 1), signal);
    expect(told().at(-1)).toBe(0);
  });

  describe('an alarm that the server stumbles over', () => {
    const stumblesOver = (...alarms: readonly AlarmEvent[]) => {
      server.answer = ({ body }, response) => {
        if (alarms.some(({ id }) => id === body.data?.alarm)) response.writeHead(500).end('stumbled');
        else response.end();
      };
    };

    it('is set aside after five failures where another is taken, and the others are told', async () => {
      const batch = many(4);
      stumblesOver(batch[1]!);
      const sink = sinkOf();
      for (let time = 0; time < 4; time++) expect((await failure(sink, batch)).kind).toBe('transient');
      expect(told()).toEqual([0, 1, 1, 1, 1]);
      expect(await sink.write(batch, signal)).toEqual([
        { result: batch[1], reason: expect.stringMatching(/answered 500: stumbled, 5 times, while it took others$/) },
      ]);
      expect(told().slice(5)).toEqual([1, 2, 1, 3]);
    });

    it('waits where none other is there or taken, however long that takes', async () => {
      const batch = many(3);
      stumblesOver(...batch);
      const sink = sinkOf();
      for (let time = 0; time < 20; time++) await failure(sink, batch);
      for (let time = 0; time < 20; time++) await failure(sink, batch.slice(0, 1));
      server.answer = status(200);
      expect(await sink.write(batch, signal)).toEqual([]);
    });

    it('is told where the server has come back just then', async () => {
      const batch = many(2);
      stumblesOver(...batch);
      const sink = sinkOf();
      for (let time = 0; time < 4; time++) await failure(sink, batch);
      let requests = 0;
      server.answer = (_, response) => response.writeHead(++requests === 1 ? 502 : 200).end();
      expect(await sink.write(batch, signal)).toEqual([]);
      expect(told().slice(4)).toEqual([0, 1, 0]);
    });

    it('is not passed by its own later steps, nor where the server asked to wait', async () => {
      const [one] = many(1) as [AlarmEvent];
      const steps = [one, { ...one, state: 'cleared', time: T0 + 9000 } as const];
      stumblesOver(one);
      const sink = sinkOf();
      for (let time = 0; time < 10; time++) await failure(sink, steps);
      server.answer = status(503, '', { 'retry-after': '1' });
      for (let time = 0; time < 10; time++) await failure(sink, many(3));
      expect(new Set(told())).toEqual(new Set([0]));
      expect(server.received.every(({ body }) => body.type === 'alarm.raised')).toBe(true);
    });
  });

  it('waits no longer than it was told, also for the end of an answer', async () => {
    const sink = sinkOf({ timeoutMs: 100 });
    server.answer = () => undefined;
    const late = { kind: 'transient', message: expect.stringContaining('did not answer in time') };
    expect(await failure(sink)).toMatchObject(late);
    server.answer = (_, response) => response.writeHead(500).write('and so on');
    expect(await failure(sink)).toMatchObject(late);
  });

  it('takes for told what was answered with success, though the answer has no end or is broken off', async () => {
    const sink = sinkOf({ timeoutMs: 100 });
    server.answer = (_, response) => response.writeHead(200).write('and so on');
    expect(await sink.write([alarm()], signal)).toEqual([]);
    server.answer = (_, response) => response.writeHead(200).write('and', () => response.destroy());
    expect(await sink.write([alarm()], signal)).toEqual([]);
    expect(server.received.length).toBe(2);
  });

  it('says that there is nobody, and works when there is somebody again', async () => {
    const sink = sinkOf();
    await server.stop();
    expect(await failure(sink)).toMatchObject({
      kind: 'transient',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    await server.listen();
    expect(await sink.write([alarm()], signal)).toEqual([]);
  });

  it('asks no proxy of the environment', async () => {
    for (const name of ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'ALL_PROXY']) vi.stubEnv(name, 'http://127.0.0.1:1');
    vi.stubEnv('NODE_USE_ENV_PROXY', '1');
    expect(await sinkOf().write([alarm()], signal)).toEqual([]);
  });

  it('ends a write when its signal aborts or when it is stopped, and goes on after a start', async () => {
    server.answer = () => undefined;
    const sink = sinkOf();
    const aborter = new AbortController();
    const writing = sink.write([alarm()], aborter.signal);
    aborter.abort();
    await expect(writing).rejects.toBeInstanceOf(SinkError);
    const other = sink.write([alarm()], signal);
    await sink.stop(signal);
    await expect(other).rejects.toBeInstanceOf(SinkError);
    expect((await failure(sink)).kind).toBe('transient');
    await sink.stop(signal);
    await sink.start(signal);
    server.answer = status(200);
    expect(await sink.write([alarm()], signal)).toEqual([]);
  });

  it.each([
    { url: 'mqtt://x' },
    { url: 'alerts' },
    { url: 'https://me:canary@x' },
    { secret: 'canary' },
    { url: 'https://ntfy.example/', format: 'ntfy' },
  ] as const)('refuses to be made with %j, and does not repeat a secret', (change) => {
    expect(() => sinkOf(change)).toThrow(GatewayError);
    expect(() => sinkOf(change)).not.toThrow(/canary/);
  });
});

const openssl = requireProgram('openssl');

describe.skipIf(openssl === undefined)('WebhookSink and certificates', () => {
  it('tells nobody whose certificate it does not know, and takes the authority it was given', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'headgate-webhook-'));
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
    const words = ['req', '-x509', '-nodes', ...curve, ...subject, '-out', certFile, '-keyout', keyFile];
    execFileSync(openssl!, words, { stdio: 'pipe' });
    const cert = readFileSync(certFile, 'utf8');
    let requests = 0;
    const server = createHttpsServer({ cert, key: readFileSync(keyFile) }, (_, response) => {
      requests++;
      response.end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const alarms = { severity: 'info', series: '*' } as const;
      const options = { name: 'phones', url, gateway: { name: 'hall', tags: {} }, format: 'json', alarms } as const;
      const told = (ca?: string) =>
        new WebhookSink({ ...options, ca }, { clock: systemClock }).write([alarm()], signal);
      await expect(told()).rejects.toMatchObject({ kind: 'configuration' });
      expect(requests).toBe(0);
      expect(await told(cert)).toEqual([]);
    } finally {
      server.closeAllConnections();
      server.close();
      rmSync(folder, { recursive: true });
    }
  });
});
