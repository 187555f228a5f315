import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApi } from './start-api.ts';

let one: Awaited<ReturnType<typeof startApi>>;

beforeAll(async () => {
  one = await startApi();
});

afterAll(() => one.stop());

const get = (url: string, headers: Record<string, string> = {}) => one.http.inject({ url, headers });

describe('the files of the page', () => {
  test('TypeScript leaves as JavaScript', async () => {
    const reply = await get('/ui/app.ts');
    expect(reply.statusCode).toBe(200);
    expect(reply.headers['content-type']).toContain('text/javascript');
    expect(reply.body).not.toContain('import type');
    expect(reply.body).toContain("from './store.ts'");
  });

  test('every import of every module can be fetched from here', async () => {
    const html = (await get('/?series=a/b')).body;
    const { imports } = JSON.parse(/<script type="importmap">(.*?)<\/script>/s.exec(html)?.[1] ?? '{}');
    const seen = new Set<string>();
    const waiting = ['/ui/app.ts'];
    for (let url = waiting.pop(); url !== undefined; url = waiting.pop()) {
      if (seen.has(url)) continue;
      seen.add(url);
      const reply = await get(url);
      expect(reply.statusCode, url).toBe(200);
      for (const [, name = ''] of reply.body.matchAll(/\b(?:import|export)[\w{}\s,*$]*?\bfrom\s*["']([^"'\s]+)["']/g)) {
        const next = imports[name] ?? new URL(name, `http://x${url}`).pathname;
        expect(next, `${name} in ${url}`).toMatch(/^\/(ui|vendor)\//);
        waiting.push(next);
      }
    }
    expect(seen.size).toBeGreaterThan(15);
  });

  test('an unchanged file is answered 304', async () => {
    const { etag } = (await get('/vendor/uplot.css')).headers;
    expect(etag).toMatch(/^".+"$/);
    expect((await get('/vendor/uplot.css', { 'if-none-match': String(etag) })).statusCode).toBe(304);
  });

  test('the policy lets only our own files and this very import map run', async () => {
    const reply = await get('/');
    const policy = String(reply.headers['content-security-policy']);
    const map = /<script type="importmap">(.*?)<\/script>/s.exec(reply.body)?.[1] ?? '';
    const hash = createHash('sha256').update(map).digest('base64');
    expect(policy).toContain(`script-src 'self' 'sha256-${hash}'`);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
  });
});
