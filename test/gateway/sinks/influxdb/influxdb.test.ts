import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../../gateway/base/system-clock.ts';
import { GatewayError } from '../../../../gateway/core/errors.ts';
import type { Result } from '../../../../gateway/core/result.ts';
import type { SinkError } from '../../../../gateway/core/sink.ts';
import { InfluxdbSink, type InfluxdbSinkOptions } from '../../../../gateway/sinks/influxdb/influxdb.ts';
import { recordingLogger } from '../../../recording-logger.ts';
import { failureOf } from '../failure.ts';
import { type Answer, PretendedServer, type Received } from '../pretended-server.ts';
import { aggregate, seriesOf, T0 } from '../results.ts';

/** What was posted. */
type Lines = readonly string[];

const signal = new AbortController().signal;
const json = (status: number, body: object, headers: Record<string, string> = {}): Answer<Lines> => {
  return (_, response) => response.writeHead(status, headers).end(JSON.stringify(body));
};

/** Faults that a real server does not make on demand: a pretended one. The real one is in test/services. */
describe('InfluxdbSink', () => {
  let server: PretendedServer<Lines>;

  beforeEach(async () => {
    server = await PretendedServer.start<Lines>((text) => text.split('\n'));
  });
  afterEach(async () => {
    await server.stop();
  });

  function sinkOf(change: Partial<InfluxdbSinkOptions> = {}): InfluxdbSink {
    const options = { name: 'influx', url: server.url, database: 'head gate', gatewayTags: {}, ...change };
    return new InfluxdbSink(options, { clock: systemClock, logger: recordingLogger() });
  }
  const failure = (sink: InfluxdbSink, batch: readonly Result[] = [aggregate()], until = signal): Promise<SinkError> =>
    failureOf(sink.write(batch, until));
  const many = (count: number) => Array.from({ length: count }, (_, i) => aggregate({ start: T0 + i }));

  it.each([
    [{ version: 1, user: 'u', password: 'p' }, '/write?db=head+gate&precision=ms', `Basic ${btoa('u:p')}`],
    [{ version: 1, retentionPolicy: 'year' }, '/write?db=head+gate&rp=year&precision=ms', undefined],
    [{ version: 2, token: 't', org: 'o' }, '/api/v2/write?bucket=head+gate&org=o&precision=ms', 'Token t'],
    [{ version: 3, token: 't' }, '/api/v3/write_lp?db=head+gate&precision=millisecond', 'Bearer t'],
  ] as const)('writes to the endpoint of %j', async (change, path, authorization) => {
    await sinkOf(change).write([aggregate()], signal);
    expect(server.received[0]?.url).toBe(path);
    expect(server.received[0]?.headers.authorization).toBe(authorization);
  });

  it('keeps the path of the url, for an InfluxDB behind a proxy', async () => {
    await sinkOf({ url: `${server.url}/influx/` }).write([aggregate()], signal);
    expect(server.received[0]?.url).toBe('/influx/write?db=head+gate&precision=ms');
  });

  it('compresses large bodies unless told not to, and small ones never', async () => {
    await sinkOf().write(many(100), signal);
    await sinkOf().write(many(1), signal);
    await sinkOf({ gzip: false }).write(many(100), signal);
    expect(server.received.map((one) => one.headers['content-encoding'])).toEqual(['gzip', undefined, undefined]);
    expect(server.received[0]?.body).toEqual(server.received[2]?.body);
  });

  it('sends a large batch in requests of at most 5000 lines, in order', async () => {
    await sinkOf().write(many(11_000), signal);
    expect(server.received.map((one) => one.body.length)).toEqual([5000, 5000, 1000]);
    expect(server.received[2]?.body.at(-1)).toMatch(new RegExp(` ${T0 + 10_999}$`));
  });

  it('asks nothing of the server when nothing can be sent', async () => {
    const newline = aggregate({ series: seriesOf('a\nb', 'm') });
    const rejections = await sinkOf().write([newline], signal);
    expect(rejections).toMatchObject([{ result: newline, reason: expect.stringContaining('control character') }]);
    expect(server.received).toEqual([]);
  });

  it('finds a poisoned line among a thousand by halving, when the server does not say which it is', async () => {
    server.answer = ({ body: lines }, response) =>
      lines.some((line) => line.endsWith(` ${T0 + 617}`))
        ? json(400, { error: 'something is wrong' })({} as Received<Lines>, response)
        : response.writeHead(204).end();
    const batch = many(1000);
    const rejections = await sinkOf().write(batch, signal);
    expect(rejections).toEqual([{ result: batch[617], reason: 'something is wrong' }]);
    expect(server.received.length).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(1000)) + 1);
  });

  it('takes the server at its word when it dropped every line, with one request', async () => {
    server.answer = json(400, { error: 'partial write: points beyond retention policy dropped=50' });
    expect(await sinkOf().write(many(50), signal)).toHaveLength(50);
    expect(server.received).toHaveLength(1);
  });

  it('sets aside the line that the server quotes, with two more requests', async () => {
    server.answer = ({ body: lines }, response) => {
      const poison = lines.find((line) => line.endsWith(` ${T0 + 7}`));
      if (poison === undefined) return response.writeHead(204).end();
      const error = `unable to parse '${poison}': nonsense`;
      return json(400, { error: lines.length === 1 ? error : `partial write: ${error} dropped=0` })(
        {} as Received<Lines>,
        response,
      );
    };
    const batch = many(1000);
    expect((await sinkOf().write(batch, signal)).map(({ result }) => result)).toEqual([batch[7]]);
    expect(server.received).toHaveLength(3);
  });

  it.each([
    [429, '7', 7000],
    [503, undefined, undefined],
    [500, '99999999', 3_600_000],
    [503, 'nonsense', undefined],
    [503, 'Mon, 05 Jan 1970 00:00:00 GMT', 0],
  ])('keeps the batch on %i with Retry-After %s', async (status, header, retryAfterMs) => {
    server.answer = json(status, { error: 'timeout' }, header === undefined ? {} : { 'retry-after': header });
    expect(await failure(sinkOf())).toMatchObject({ kind: 'transient', retryAfterMs });
  });

  it.each([
    [401, { error: 'authorization failed' }],
    [403, { error: 'forbidden' }],
    [404, { error: 'no such page' }],
    [302, {}],
    [405, {}],
  ])('keeps the batch and calls for a person on %i', async (status, body) => {
    server.answer = json(status, body);
    expect(await failure(sinkOf())).toMatchObject({ kind: 'configuration' });
    expect(server.received).toHaveLength(1);
  });

  it.each([200, 400])('does not believe a %i of something that is not InfluxDB', async (status) => {
    server.answer = (_, response) => response.writeHead(status).end('<html>Welcome to the hotel network</html>');
    const error = await failure(sinkOf());
    expect(error).toMatchObject({ kind: 'configuration', message: expect.stringContaining('not an InfluxDB') });
  });

  it('does not create a database on a version that has buckets', async () => {
    server.answer = json(404, { code: 'not found', message: 'bucket "head gate" not found' });
    expect(await failure(sinkOf({ version: 2, token: 't' }))).toMatchObject({ kind: 'configuration' });
    expect(server.received).toHaveLength(1);
  });

  it('gives up on a server that accepts and never answers, and on one that never ends its answer', async () => {
    for (const hang of [
      () => undefined,
      (_: unknown, response: ServerResponse) => void response.writeHead(400).write('{'),
    ]) {
      server.answer = hang;
      const error = await failure(sinkOf({ timeoutMs: 50 }));
      expect(error).toMatchObject({ kind: 'transient', message: expect.stringContaining('did not answer in time') });
    }
    await server.connectionsAreGone();
  });

  it('reads no more than it needs of an endless answer', async () => {
    server.answer = (_, response) => {
      response.writeHead(500);
      const pour = () => {
        while (response.write('x'.repeat(65_536)));
      };
      response.on('drain', pour);
      pour();
    };
    const error = await failure(sinkOf());
    expect(error.message.length).toBeLessThan(1000);
    await server.connectionsAreGone();
  });

  it('keeps the batch when the connection breaks before the answer', async () => {
    server.answer = (_, response) => response.destroy();
    expect(await failure(sinkOf())).toMatchObject({ kind: 'transient' });
  });

  it('keeps the batch when nobody listens, and says which address', async () => {
    const error = await failure(sinkOf({ url: 'http://127.0.0.1:1' }));
    expect(error).toMatchObject({ kind: 'transient', message: expect.stringContaining('http://127.0.0.1:1') });
  });

  it('ends a running request at once when it is stopped, or its signal aborts', async () => {
    server.answer = () => undefined;
    const sink = sinkOf();
    const stopped = failure(sink);
    await sink.stop(signal);
    expect(await stopped).toMatchObject({ kind: 'transient' });

    const aborter = new AbortController();
    const aborted = failure(sinkOf(), [aggregate()], aborter.signal);
    aborter.abort();
    expect(await aborted).toMatchObject({ kind: 'transient', message: expect.stringContaining('aborted') });
    await server.connectionsAreGone();
  });

  it('uses one connection again and again', async () => {
    const sink = sinkOf();
    for (let i = 0; i < 50; i++) await sink.write([aggregate()], signal);
    expect(server.connections).toBeLessThanOrEqual(2);
  });

  it.each([
    [{ url: 'localhost:8086' }, /not a http or https url/],
    [{ url: 'http://user:secret@localhost:8086' }, /user or a password/],
    [{ database: '' }, /no name/],
  ])('cannot be made with %j', (change, message) => {
    const make = () => sinkOf(change);
    expect(make).toThrow(GatewayError);
    expect(make).toThrow(message);
    expect(make).not.toThrow(/secret/);
  });
});
