// biome-ignore-all lint/suspicious/noTemplateCurlyInString: configuration files refer to the environment so
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { formatProblems } from '../../config/load.ts';
import { briefly, configurationOf, problemsOf } from './load-text.ts';

const BROKER = 'sources:\n  - name: floor\n    type: mqtt\n';

describe('the environment', () => {
  const level = (text: string, environment: Record<string, string>) =>
    configurationOf(`log: { level: ${text} }`, { environment }).log.level;

  test('fills in ${NAME} and ${NAME:-default}, with and without quotes', () => {
    expect(level('${LEVEL}', { LEVEL: 'warn' })).toBe('warn');
    expect(level('"${LEVEL}"', { LEVEL: 'warn' })).toBe('warn');
    expect(level('${LEVEL:-error}', {})).toBe('error');
    expect(level('${LEVEL:-error}', { LEVEL: '' })).toBe('error');
    expect(level('de${REST:-bug}', {})).toBe('debug');
  });

  test('gives numbers and booleans, too', () => {
    const text = 'storage: { maxSeries: "${MAX}" }\napi: { allowAnonymous: ${ANON} }';
    const { storage, api } = configurationOf(text, { environment: { MAX: '500', ANON: 'true' } });
    expect([storage.maxSeries, api.allowAnonymous]).toEqual([500, true]);
    expect(briefly(problemsOf(text, { environment: { MAX: '5x', ANON: 'yes' } }))).toEqual([
      '1:23 storage.maxSeries: must be a whole number: got "5x"',
      '2:24 api.allowAnonymous: must be true or false: got "yes"',
    ]);
  });

  test('cannot bring in YAML', () => {
    const { gateway } = configurationOf('gateway: { tags: { site: "${SITE}" } }', {
      environment: { SITE: 'a }\nsinks: [x]  # ${HOME}' },
    });
    expect(gateway.tags).toEqual({ site: 'a }\nsinks: [x]  # ${HOME}' });
  });

  test('that lacks a name, or a reference that cannot be read, is a problem with its place', () => {
    expect(briefly(problemsOf('log:\n  level: ${LEVEL}\n'))).toEqual(['2:10 log.level: the environment has no LEVEL']);
    expect(briefly(problemsOf('log:\n  level: "${a b}"\n'))[0]).toContain('cannot be read');
    expect(briefly(problemsOf('log:\n  level: "${open"\n'))[0]).toContain('cannot be read');
  });

  test('is not asked for $${NAME}, nor for what is inherited', () => {
    expect(configurationOf('gateway: { tags: { a: "$${HOME}" } }').gateway.tags).toEqual({ a: '${HOME}' });
    expect(briefly(problemsOf('log: { level: ${constructor} }'))[0]).toContain('has no constructor');
  });
});

describe('secrets', () => {
  const sink = (password: string) =>
    `sinks:\n  - { name: a, type: influxdb, url: http://x, user: u, password: ${password} }\n`;
  const passwordOf = (text: string, readFile: (path: string) => string) => {
    const [influx] = configurationOf(text, { readFile }).sinks;
    return influx?.type === 'influxdb' ? influx.password : undefined;
  };

  test('are read from files, relative to the folder of the configuration, without the line end', () => {
    expect(passwordOf(sink('{ file: secrets/x }'), (path) => `${path}\n`)).toBe('/etc/headgate/secrets/x');
    expect(passwordOf(sink('{ file: "/run/secrets/x" }'), (path) => path)).toBe('/run/secrets/x');
  });

  test('from a file that is not there, or is empty, are a problem with its place', () => {
    const missing = problemsOf(sink('{ file: nowhere }'), { readFile: (path) => readFileSync(path, 'utf8') });
    expect(briefly(missing)[0]).toMatch(
      /^2:\d+ sinks\[0\]\.password\.file: cannot read \/etc\/headgate\/nowhere: ENOENT/,
    );
    expect(briefly(problemsOf(sink('{ file: x }'), { readFile: () => ' \n' }))[0]).toContain('is empty');
  });

  test('of TLS are read as well, and must be PEM', () => {
    const tls = `${BROKER}    tls: { cert: c.pem, key: k.pem }\n`;
    const [source] = configurationOf(tls, { readFile: (path) => `-----BEGIN ${path}\n` }).sources;
    expect(source).toMatchObject({
      tls: { cert: '-----BEGIN /etc/headgate/c.pem', key: '-----BEGIN /etc/headgate/k.pem' },
    });
    expect(briefly(problemsOf(tls, { readFile: () => 'canary' }))).toEqual([
      '4:18 sources[0].tls.cert: not a PEM file: "c.pem"',
      '4:30 sources[0].tls.key: not a PEM file: "k.pem"',
    ]);
  });

  test('are never quoted in a problem', () => {
    const text = `sources:
  - { name: a, type: mqtt, users: [{ name: u, password: 12345678 }, { name: v, password: [canary1] }] }
  - { name: b, type: mqtt, url: "ftp://user:canary2@host", password: canary3 }
`;
    const problems = problemsOf(text);
    expect(problems.length).toBeGreaterThanOrEqual(3);
    expect(formatProblems(problems, 'gateway.yaml', text)).not.toMatch(/12345678|canary/);
  });
});
