import { Ajv } from 'ajv';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ExplainReply } from '../../../gateway/api/explain-schemas.ts';
import type { Explanation } from '../../../gateway/core/inspection.ts';
import { startApi } from './start-api.ts';

const EXPLANATION: Explanation = {
  series: 'press-1/flow',
  time: 0,
  verdict: 'late',
  summary: 'It came too late.',
  readings: [{ sourceTime: 1500.25, value: 3, quality: 'good', anomaly: false }],
  duplicates: 1,
  watermarkThen: 9000,
  watermark: 9500,
  nearest: { before: null, after: 2000 },
  windows: [
    {
      window: 'hour',
      from: 'minute',
      start: 0,
      end: 3_600_000,
      closesAt: 3_600_000,
      state: 'open',
      revision: null,
      holds: true,
    },
    { window: 'run', from: null, start: 0, end: 2000, closesAt: null, state: 'closed', revision: 3, holds: null },
  ],
  consumers: {
    reduction: null,
    readBy: ['join:power (left)'],
    windows: ['hour'],
    detectors: [{ detector: 'range', options: { max: 1 } }],
  },
  derived: [
    {
      by: 'join:power (left)',
      series: 'press-1/power',
      from: 59_999,
      to: 59_999,
      mayFollow: true,
      readings: [{ sourceTime: 59_999, value: 7, quality: 'good', anomaly: false }],
    },
  ],
  alarms: [],
  refused: [{ time: 100, reason: 'value is NaN', subject: 'sensors/press-1' }],
};

let one: Awaited<ReturnType<typeof startApi>>;
beforeAll(async () => {
  one = await startApi();
});
afterAll(() => one.stop());

test('the answer is what the gateway knows, as the schema says, for a time in either form', async () => {
  one.view.inspection.explanation = EXPLANATION;
  for (const time of ['1500.25', '1970-01-01T00:00:01.50025Z']) {
    const reply = await one.http.inject({ url: '/api/v1/explain', query: { series: 'press-1/flow', time } });
    expect(reply.statusCode).toBe(200);
    const body: unknown = reply.json();
    expect(body).toEqual({ ...EXPLANATION, time: time === '1500.25' ? 1500.25 : 1500 });
    const validate = new Ajv({ strict: true, allowUnionTypes: true, strictTypes: false }).compile(ExplainReply);
    expect(validate(body), JSON.stringify(validate.errors)).toBe(true);
  }
});

test.each([
  { query: { series: 'press-1/flow' }, status: 400 },
  { query: { time: '1' }, status: 400 },
  { query: { series: 'press-1/flow', time: 'noon' }, status: 400 },
  { query: { series: 'press-1/nothing', time: '1' }, status: 404 },
])('what cannot be answered is a problem: $query', async ({ query, status }) => {
  one.view.inspection.explanation = undefined;
  const reply = await one.http.inject({ url: '/api/v1/explain', query });
  expect(reply.statusCode).toBe(status);
  expect(reply.headers['content-type']).toContain('application/problem+json');
});
