import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LineWriteOutcome } from '../../../gateway/core/line-writes.ts';
import { FakeWrites } from './fake-writes.ts';
import { startApi } from './start-api.ts';

let writes: FakeWrites;
let one: Awaited<ReturnType<typeof startApi>>;

beforeEach(async () => {
  writes = new FakeWrites();
  one = await startApi({ requestTimeoutMs: 1000 }, { writes });
});

afterEach(() => one.stop());

function post(path: string, body: string | Uint8Array, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${one.api.port}${path}`, { method: 'POST', body: body as string, headers });
}

const PARTIAL: LineWriteOutcome = { kind: 'durable', refused: 2, reason: 'line 7: the measurement is empty' };
const PARTIAL_WORDS = 'partial write: unable to parse line 7: the measurement is empty dropped=2';

describe('writing', () => {
  test.each([
    ['/api/v1/write', 'ns'],
    ['/api/v1/write?precision=ms', 'ms'],
    ['/write', 'ns'],
    ['/write?db=telegraf&rp=autogen&precision=n&u=me&p=secret', 'ns'],
    ['/write?db=telegraf&precision=u', 'us'],
    ['/write?precision=m', 'm'],
    ['/write?precision=h', 'h'],
    ['/api/v2/write?bucket=b&org=o', 'ns'],
    ['/api/v2/write?bucket=b&org=o&precision=s', 's'],
  ])('to %s is answered 204, its precision %s', async (path, precision) => {
    const answer = await post(path, 'a v=1');
    expect(answer.status).toBe(204);
    expect(await answer.text()).toBe('');
    expect(writes.taken).toEqual([{ text: 'a v=1', encoding: 'identity', precision, announcedBytes: 5 }]);
  });

  test('takes the body whatever its type is said to be, as gzip too, and none at all', async () => {
    for (const type of ['text/plain; charset=utf-8', 'application/x-www-form-urlencoded', 'application/json']) {
      expect((await post('/write', 'a v=1', { 'content-type': type })).status).toBe(204);
    }
    const zipped = gzipSync('a v=1');
    expect((await post('/api/v2/write', zipped, { 'content-encoding': 'gzip' })).status).toBe(204);
    expect(writes.taken.at(-1)).toMatchObject({ encoding: 'gzip', text: zipped.toString('latin1') });
    expect((await post('/write', '')).status).toBe(204);
  });

  test('has no limit on its rate', async () => {
    const answers = await Promise.all(
      Array.from({ length: 1300 }, () => one.http.inject({ method: 'POST', url: '/write', payload: 'a v=1' })),
    );
    expect(answers.every(({ statusCode }) => statusCode === 204)).toBe(true);
  });
});

describe('what is refused', () => {
  const cases: [number, LineWriteOutcome, string, string][] = [
    [400, PARTIAL, 'invalid', PARTIAL_WORDS],
    [400, { kind: 'unreadable', detail: 'the body is not gzip' }, 'invalid', 'unable to parse: the body is not gzip'],
    [
      413,
      { kind: 'too-large', detail: 'the body has 9 bytes' },
      'request too large',
      'Cannot write: the body has 9 bytes',
    ],
    [503, { kind: 'busy', detail: 'there is no room' }, 'unavailable', 'Cannot write now: there is no room'],
  ];

  test.each(cases)('is answered %i in the form of each dialect', async (status, outcome, code, words) => {
    writes.outcome = outcome;
    const own = await post('/api/v1/write', 'a v=1');
    expect(own.headers.get('content-type')).toContain('application/problem+json');
    expect(await own.json()).toMatchObject({ status, detail: words });
    const v1 = await post('/write?db=x', 'a v=1');
    expect(v1.headers.get('content-type')).toContain('application/json');
    expect(await v1.json()).toEqual({ error: words });
    const v2 = await post('/api/v2/write?bucket=x', 'a v=1');
    expect(await v2.json()).toEqual({ code, message: words });
    for (const answer of [own, v1, v2]) {
      expect(answer.status).toBe(status);
      expect(answer.headers.get('retry-after')).toBe(status === 503 ? '2' : null);
    }
  });

  test('a precision that is none, a parameter that is unknown, an encoding that cannot be read', async () => {
    for (const path of ['/api/v1/write', '/write', '/api/v2/write']) {
      const precision = await post(`${path}?precision=days`, 'a v=1');
      expect(precision.status).toBe(400);
      expect(await precision.text()).toContain("invalid precision 'days'");
      expect((await post(path, 'a v=1', { 'content-encoding': 'br' })).status).toBe(415);
    }
    expect((await post('/api/v1/write?precision=h', 'a v=1')).status).toBe(400);
    expect((await post('/api/v1/write?precison=ms', 'a v=1')).status).toBe(400);
    expect(writes.taken).toEqual([]);
  });

  test('a body that does not arrive in time is answered 408', async () => {
    const socket = connect(one.api.port, '127.0.0.1');
    socket.write('POST /write HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\na v=1');
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (data) => {
        text += data;
      });
      socket.on('close', () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(one.logger.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('what clients of InfluxDB ask before they write', () => {
  test.each(['GET', 'HEAD'] as const)('%s /ping is answered with a version', async (method) => {
    const answer = await fetch(`http://127.0.0.1:${one.api.port}/ping`, { method });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('x-influxdb-version')).toMatch(/^1\.8/);
  });

  test('a database is created without any trace; anything else is not answered', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    for (const answer of [
      await post('/query', new URLSearchParams({ q: 'CREATE DATABASE "telegraf"' }).toString(), form),
      await post(`/query?q=${encodeURIComponent('create database telegraf')}`, ''),
    ]) {
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({ results: [{ statement_id: 0 }] });
    }
    const other = await post('/query', new URLSearchParams({ q: 'DROP DATABASE telegraf' }).toString(), form);
    expect(other.status).toBe(400);
    expect(await other.json()).toEqual({ error: "Headgate answers no queries: 'DROP DATABASE telegraf'" });
  });
});
