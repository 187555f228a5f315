import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FakeWrites } from './fake-writes.ts';
import { startApi } from './start-api.ts';

interface Operation {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly { name: string; description?: string }[];
  readonly responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>;
}

let one: Awaited<ReturnType<typeof startApi>>;
let document: { openapi: string; paths: Record<string, Record<string, Operation>> };

beforeAll(async () => {
  one = await startApi({}, { writes: new FakeWrites() });
  document = (await one.http.inject({ url: '/openapi.json' })).json();
});

afterAll(() => one.stop());

function operations(): [string, Operation][] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [`${method} ${path}`, operation]),
  );
}

describe('/openapi.json', () => {
  test('describes every route of the public face', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(
      operations()
        .map(([name]) => name)
        .sort(),
    ).toEqual([
      'get /api/v1/aggregates',
      'get /api/v1/alarms',
      'get /api/v1/alarms/groups',
      'get /api/v1/config',
      'get /api/v1/dead-letters',
      'get /api/v1/explain',
      'get /api/v1/ledger',
      'get /api/v1/maintenance',
      'get /api/v1/readings',
      'get /api/v1/series',
      'get /api/v1/status',
      'get /api/v1/stream',
      'get /api/v1/tap',
      'get /api/v1/taps',
      'get /healthz',
      'get /metrics',
      'get /openapi.json',
      'get /readyz',
      'post /api/v1/alarms/acknowledge',
      'post /api/v1/alarms/{id}/acknowledge',
      'post /api/v1/alarms/{id}/dismiss',
      'post /api/v1/alarms/{id}/shelve',
      'post /api/v1/alarms/{id}/unshelve',
      'post /api/v1/maintenance',
      'post /api/v1/maintenance/{id}/stop',
      'post /api/v1/write',
    ]);
  });

  test('every operation has a summary, a tag, described parameters and schemas that compile', () => {
    const ajv = new Ajv({ strict: true, allowUnionTypes: true, strictTypes: false });
    for (const [name, operation] of operations()) {
      expect(operation.summary, name).toMatch(/\S/);
      expect(operation.tags, name).toHaveLength(1);
      for (const parameter of operation.parameters ?? [])
        expect(parameter.description, `${name} ${parameter.name}`).toMatch(/\S/);
      expect(operation.responses['200'] ?? operation.responses['204'], name).toBeDefined();
      for (const { content } of Object.values(operation.responses)) {
        for (const { schema } of Object.values(content ?? {})) ajv.compile(schema);
      }
    }
  });

  test('the documentation page is served from here, with nothing from elsewhere', async () => {
    const page = await one.http.inject({ url: '/docs/' });
    expect(page.statusCode).toBe(200);
    expect(page.body).not.toMatch(/https?:\/\//);
    expect(page.headers['content-security-policy']).not.toContain('https:');
    const script = await one.http.inject({ url: '/docs/static/swagger-ui-bundle.js' });
    expect(script.statusCode).toBe(200);
  });
});
