import { connect } from 'node:net';
import { Ajv, type AnySchema } from 'ajv';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AggregatesReply } from '../../../gateway/api/aggregates-schemas.ts';
import * as alarmSchemas from '../../../gateway/api/alarm-schemas.ts';
import { DeadLettersReply } from '../../../gateway/api/dead-letters-schemas.ts';
import { LedgerReply } from '../../../gateway/api/ledger-schemas.ts';
import * as maintenanceSchemas from '../../../gateway/api/maintenance-schemas.ts';
import { HealthReply, Problem, ReadyReply } from '../../../gateway/api/problem-schemas.ts';
import { ReadingsReply, SeriesReply } from '../../../gateway/api/readings-schemas.ts';
import { StatusReply } from '../../../gateway/api/status-schemas.ts';
import { groupRow, letter } from './fake-rows.ts';
import { startApi } from './start-api.ts';

const KEY = 'press-1/oil_temperature';
const T0 = 1_780_000_000_000;

let one: Awaited<ReturnType<typeof startApi>>;

beforeAll(async () => {
  one = await startApi({ requestTimeoutMs: 300 });
  const { view } = one;
  view.addSeries('press-1', 'oil_temperature', '°C');
  const row = { quality: 'good', anomaly: false } as const;
  view.read(
    Array.from({ length: 600 }, (_, i) => ({ series: KEY, sourceTime: T0 + i * 1000, value: 40 + i / 100, ...row })),
  );
  view.close({
    series: KEY,
    window: 'minute',
    start: T0,
    end: T0 + 60_000,
    revision: 0,
    good: 1,
    fields: { count: 60, mean: 40.3, min: 40, max: 40.6 },
  });
  view.letters = [letter("'abc' is not a number", 'sensors/x/y', '\xff abc', T0)];
});

afterAll(() => one.stop());

async function get(url: string) {
  const reply = await one.http.inject({ url });
  const type = String(reply.headers['content-type']);
  return { status: reply.statusCode, type, body: type.includes('json') ? reply.json() : reply.body };
}

/** Fails with ajv's words unless `body` is what the API describes. */
function expectShape(schema: AnySchema, body: unknown): void {
  const ajv = new Ajv({ allErrors: true });
  expect(ajv.validate(schema, body) ? [] : ajv.errors).toEqual([]);
}

describe('answers have the shape that is described', () => {
  test.each([
    ['/healthz', HealthReply],
    ['/readyz', ReadyReply],
    ['/api/v1/status', StatusReply],
    ['/api/v1/ledger', LedgerReply],
    ['/api/v1/series', SeriesReply],
    [`/api/v1/readings?series=${KEY}`, ReadingsReply],
    [`/api/v1/aggregates?series=${KEY}`, AggregatesReply],
    ['/api/v1/alarms', alarmSchemas.AlarmsReply],
    ['/api/v1/dead-letters', DeadLettersReply],
  ])('%s', async (url, schema) => {
    one.view.raise(KEY, 'warning', T0 + 5000, 'too warm');
    const { status, body } = await get(url);
    expect(status).toBe(200);
    expectShape(schema, body);
  });

  test('/api/v1/config is YAML', async () => {
    const { type, body } = await get('/api/v1/config');
    expect(type).toBe('text/yaml; charset=utf-8');
    expect(body).toContain('press-hall');
  });
});

describe('/readyz', () => {
  test('is 503 with the reasons while data cannot be kept', async () => {
    one.view.reasons = ['the disk is full'];
    const { status, type, body } = await get('/readyz');
    one.view.reasons = [];
    expect(status).toBe(503);
    expect(type).toContain('application/problem+json');
    expect(body.reasons).toEqual(['the disk is full']);
  });
});

describe('/api/v1/readings', () => {
  test('gives the newest 500 when no limit is given', async () => {
    const { body } = await get(`/api/v1/readings?series=${KEY}`);
    expect(body.readings).toHaveLength(500);
    expect(body.readings.at(-1).sourceTime).toBe(T0 + 599_000);
  });

  test('takes epoch milliseconds and ISO 8601 alike', async () => {
    const iso = new Date(T0 + 10_000).toISOString();
    const byIso = await get(`/api/v1/readings?series=${KEY}&from=${iso}&to=${T0 + 20_000}`);
    const byMs = await get(`/api/v1/readings?series=${KEY}&from=${T0 + 10_000}&to=${T0 + 20_000}.0`);
    expect(byIso.body.readings).toHaveLength(10);
    expect(byMs.body).toEqual(byIso.body);
  });

  test('an unknown series is 404 with where to look', async () => {
    const { status, body } = await get('/api/v1/readings?series=nobody/nothing');
    expect(status).toBe(404);
    expect(body.detail).toContain('nobody/nothing');
    expect(body.hint).toContain('/api/v1/series');
  });

  test.each([
    ['', 'series', 'is required'],
    [`series=${KEY}&limit=0`, 'limit', '>= 1'],
    [`series=${KEY}&limit=10001`, 'limit', '<= 10000'],
    [`series=${KEY}&limit=many`, 'limit', 'integer'],
    [`series=${KEY}&from=yesterday`, 'from', 'ISO 8601'],
    [`series=${KEY}&to=2026-13-99T00:00:00Z`, 'to', 'ISO 8601'],
    [`series=${KEY}&to=9999999999999999`, 'to', 'ISO 8601'],
    [`series=${KEY}&from=20&to=10`, 'from', "after 'to'"],
    [`series=${KEY}&form=1`, 'form', 'not known'],
  ])('?%s is 400 that names the parameter and what is allowed', async (query, parameter, allowed) => {
    const { status, type, body } = await get(`/api/v1/readings?${query}`);
    expect(status).toBe(400);
    expect(type).toContain('application/problem+json');
    expectShape(Problem, body);
    expect(body.errors[0].parameter).toBe(parameter);
    expect(body.hint).toContain(allowed);
  });
});

describe('/api/v1/alarms', () => {
  test('?state=active leaves cleared alarms out', async () => {
    const id = one.view.raise(KEY, 'critical', T0 + 90_000, 'far too warm');
    one.view.clear(id, T0 + 95_000);
    const all = await get('/api/v1/alarms');
    const active = await get('/api/v1/alarms?state=active');
    expect(all.body.alarms.map((alarm: { id: string }) => alarm.id)).toContain(id);
    expect(active.body.alarms.map((alarm: { id: string }) => alarm.id)).not.toContain(id);
  });

  test('a state that there is not is refused with those that there are, each once', async () => {
    const { status, body } = await get('/api/v1/alarms?state=bogus');
    expect(status).toBe(400);
    expect(body.hint).toBe("'state' must be one of: active, open, all");
    expect(body.errors).toHaveLength(1);
  });

  test('an alarm is acknowledged by its percent-encoded id, and who did it is passed on', async () => {
    const id = one.view.raise(KEY, 'warning', T0 + 100_000, 'warm');
    const url = `/api/v1/alarms/${encodeURIComponent(id)}/acknowledge`;
    const reply = await one.http.inject({ method: 'POST', url, payload: { by: 'Ada' } });
    expect(reply.statusCode).toBe(200);
    expectShape(alarmSchemas.Alarm, reply.json());
    expect(reply.json().acknowledgedAt).toBe(one.view.now);
    expect(one.view.acknowledged.at(-1)).toEqual({ id, by: 'Ada' });
    expect((await one.http.inject({ method: 'POST', url })).statusCode).toBe(200);
  });

  test('several are acknowledged at once, and those that are not there are left out', async () => {
    const ids = [1, 2].map((i) => one.view.raise(KEY, 'warning', T0 + 105_000 + i, 'warm'));
    const url = '/api/v1/alarms/acknowledge';
    const reply = await one.http.inject({ method: 'POST', url, payload: { ids: [...ids, 'none'], by: 'Ada' } });
    expectShape(alarmSchemas.AlarmsReply, reply.json());
    expect(reply.json().alarms.map(({ id }: { id: string }) => id)).toEqual(ids);
    expect(one.view.acknowledged.slice(-2)).toEqual(ids.map((id) => ({ id, by: 'Ada' })));
    expect((await one.http.inject({ method: 'POST', url, payload: { ids: [] } })).statusCode).toBe(400);
  });

  test('an alarm that is over stays open until it is acknowledged', async () => {
    const id = one.view.raise(KEY, 'warning', T0 + 101_000, 'warm');
    one.view.clear(id, T0 + 102_000);
    const open = async () => {
      const { body } = await get('/api/v1/alarms?state=open');
      return body.alarms.find((alarm: { id: string }) => alarm.id === id)?.state;
    };
    expect(await open()).toBe('returned');
    await one.http.inject({ method: 'POST', url: `/api/v1/alarms/${encodeURIComponent(id)}/acknowledge` });
    expect(await open()).toBeUndefined();
  });

  test('/groups puts alarms of a device together that came together, with the highest severity', async () => {
    const group = { group: 'press-9@1' };
    const ids = [
      one.view.raise('press-9/oil', 'warning', T0 + 120_000, 'warm'),
      one.view.raise('press-9/load', 'critical', T0 + 121_000, 'heavy'),
    ];
    one.view.alarmRows = one.view.alarmRows.map((row) => (ids.includes(row.id) ? { ...row, ...group } : row));
    const { body } = await get('/api/v1/alarms/groups?state=open');
    expectShape(alarmSchemas.AlarmGroupsReply, body);
    const found = body.groups.find(({ id }: { id: string }) => id === 'press-9@1');
    expect(found).toMatchObject({
      device: 'press-9',
      severity: 'critical',
      priority: 900,
      active: 2,
      since: T0 + 120_000,
    });
    expect(found.alarms.map(({ metric }: { metric: string }) => metric)).toEqual(['load', 'oil']);
  });

  test('an alarm is shelved for a time and a reason, and unshelved', async () => {
    const id = one.view.raise(KEY, 'warning', T0 + 103_000, 'warm');
    const post = (action: string, payload: object) =>
      one.http.inject({ method: 'POST', url: `/api/v1/alarms/${encodeURIComponent(id)}/${action}`, payload });
    const shelved = await post('shelve', { forSeconds: 600, reason: 'a loose wire', by: 'Ada' });
    expect(shelved.statusCode).toBe(200);
    expectShape(alarmSchemas.Alarm, shelved.json());
    expect(shelved.json()).toMatchObject({ state: 'shelved', shelvedUntil: one.view.now + 600_000 });
    expect((await post('unshelve', { by: 'Ada' })).json()).toMatchObject({
      state: 'unacknowledged',
      shelvedUntil: null,
    });
    const tooLong = await post('shelve', { forSeconds: 90_000, reason: 'x' });
    expect(tooLong.statusCode).toBe(409);
    expectShape(Problem, tooLong.json());
    expect(tooLong.json().hint).toContain('a day');
    const nothing = await one.http.inject({ method: 'POST', url: `/api/v1/alarms/${encodeURIComponent(id)}/shelve` });
    expect([nothing.statusCode, nothing.json().detail]).toEqual([400, 'Cannot read the body']);
    const noReason = await post('shelve', { forSeconds: 600 });
    expect([noReason.statusCode, noReason.json().errors[0].parameter]).toEqual([400, 'reason']);
  });

  test('an alarm is dismissed for a reason, and is over and seen', async () => {
    const id = one.view.raise(KEY, 'warning', T0 + 104_000, 'warm');
    const url = `/api/v1/alarms/${encodeURIComponent(id)}/dismiss`;
    const reply = await one.http.inject({ method: 'POST', url, payload: { reason: 'a test run', by: 'Ada' } });
    expectShape(alarmSchemas.Alarm, reply.json());
    expect(reply.json()).toMatchObject({ state: 'normal', acknowledgedBy: 'Ada' });
    expect((await one.http.inject({ method: 'POST', url, payload: {} })).statusCode).toBe(400);
  });

  test('an unknown alarm is 404', async () => {
    const reply = await one.http.inject({ method: 'POST', url: '/api/v1/alarms/none/acknowledge' });
    expect(reply.statusCode).toBe(404);
    expectShape(Problem, reply.json());
  });

  test('a page of another origin cannot acknowledge', async () => {
    const id = one.view.raise(KEY, 'warning', T0 + 110_000, 'warm');
    const count = one.view.acknowledged.length;
    const url = `/api/v1/alarms/${encodeURIComponent(id)}/acknowledge`;
    const reply = await one.http.inject({ method: 'POST', url, headers: { origin: 'http://evil.example' } });
    expect(reply.statusCode).toBe(403);
    expect(one.view.acknowledged).toHaveLength(count);
  });
});

describe('/api/v1/maintenance', () => {
  test('series are put into maintenance for a time and a reason, and it is stopped', async () => {
    const post = (url: string, payload: object) => one.http.inject({ method: 'POST', url, payload });
    const body = { series: 'press-1/*', forSeconds: 600, reason: 'new oil', by: 'Ada' };
    const begun = await post('/api/v1/maintenance', body);
    expectShape(maintenanceSchemas.Maintenance, begun.json());
    expect(begun.json()).toMatchObject({ series: 'press-1/*', by: 'Ada', active: true, until: one.view.now + 600_000 });
    const listed = await get('/api/v1/maintenance');
    expectShape(maintenanceSchemas.MaintenanceReply, listed.body);
    expect(listed.body.maintenance).toHaveLength(1);
    const url = `/api/v1/maintenance/${encodeURIComponent(begun.json().id)}/stop`;
    expect((await post(url, {})).json().maintenance).toEqual([]);
    expect((await post(url, {})).statusCode).toBe(404);
    expect((await post('/api/v1/maintenance', { ...body, forSeconds: 90_000 })).statusCode).toBe(409);
    expect((await post('/api/v1/maintenance', { ...body, reason: '' })).statusCode).toBe(400);
  });

  test.each(['a/b/c/d', 'a//b', 'press-[12]/*'])(
    '%s is no pattern of series to put into maintenance',
    async (series) => {
      const payload = { series, forSeconds: 600, reason: 'new oil' };
      const reply = await one.http.inject({ method: 'POST', url: '/api/v1/maintenance', payload });
      expect(reply.statusCode).toBe(400);
      expectShape(Problem, reply.json());
      expect(reply.json().detail).toContain(`got '${series}'`);
      expect(reply.json().hint).toContain('site/device/metric');
    },
  );
});

describe('/api/v1/ledger', () => {
  test('gives as many devices as asked for, and how many there are', async () => {
    one.view.groups = ['a', 'b', 'c'].map((name) => groupRow(name, { received: 2, dropped: 2 }));
    const { body } = await get('/api/v1/ledger?limit=2');
    expectShape(LedgerReply, body);
    expect(body.groups.map(({ name }: { name: string }) => name)).toEqual(['a', 'b']);
    expect(body.groupCount).toBe(3);
  });
});

describe('/api/v1/dead-letters', () => {
  test('shows the payload as text and byte for byte', async () => {
    const { body } = await get('/api/v1/dead-letters');
    const [first] = body.deadLetters;
    expect(Buffer.from(first.base64, 'base64').toString()).toBe('\xff abc');
    expect(first.reason).toContain('abc');
  });
});

describe('errors', () => {
  test('an unknown route is 404 problem+json', async () => {
    const { status, type, body } = await get('/api/v1/nothing');
    expect([status, type.split(';')[0]]).toEqual([404, 'application/problem+json']);
    expectShape(Problem, body);
  });

  test('a fault of ours is 500 without its inside, and the log has it', async () => {
    const { view } = one;
    view.configuration = () => {
      throw new Error('secret path /etc/x');
    };
    const { status, body } = await get('/api/v1/config');
    Reflect.deleteProperty(view, 'configuration');
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain('secret');
    expect(one.logger.lines.some((line) => line.message === 'request failed')).toBe(true);
  });

  test('a body beyond 64 KiB is 413', async () => {
    const url = '/api/v1/alarms/x/acknowledge';
    const reply = await one.http.inject({ method: 'POST', url, payload: { by: 'x'.repeat(70_000) } });
    expect(reply.statusCode).toBe(413);
    expectShape(Problem, reply.json());
  });

  test.each([
    ['a request that does not arrive is 408', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n', '408'],
    ['headers beyond 16 KiB are 431', `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, '431'],
    ['what is not HTTP is 400', 'HELLO\r\n\r\n', '400'],
    [
      'a path that cannot be decoded is 400',
      'GET /%E0%A4%A HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      '400',
    ],
  ])('%s', async (_claim, request, status) => {
    const answer = await raw(request);
    expect(answer.split('\r\n')[0]).toContain(status);
    expect(answer.toLowerCase()).toContain('application/problem+json');
  });

  test.each([
    '/ui/../app.ts',
    '/ui/..%2fapp.ts',
    '/ui/%2e%2e%2f%2e%2e%2fcore%2fclock.ts',
    '/vendor/__proto__',
    '/ui/constructor',
  ])('no path leads out of the page: %s', async (path) => {
    const answer = await raw(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    expect(answer.split('\r\n')[0]).toContain('404');
  });

  test('a host name that is not local is refused on loopback', async () => {
    const reply = await one.http.inject({ url: '/api/v1/status', headers: { host: 'rebound.example:8080' } });
    expect(reply.statusCode).toBe(421);
  });

  test('more than 1200 requests a minute from one address are 429, but never the health routes', async () => {
    const other = await startApi();
    const ask = async (url: string) => (await other.http.inject({ url })).statusCode;
    const seen = new Set<number>();
    for (let i = 0; i < 1201; i++) seen.add(await ask('/api/v1/config'));
    expect([...seen]).toEqual([200, 429]);
    expect(await ask('/healthz')).toBe(200);
    await other.stop();
  });
});

/** Sends bytes, and gives all that comes back until the server closes. */
function raw(request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(one.api.port, '127.0.0.1', () => socket.write(request));
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no end after: ${answer}`)));
    socket.on('data', (data) => {
      answer += data.toString();
    });
    socket.on('close', () => resolve(answer)).on('error', reject);
  });
}
