import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { configurationOf } from './config/load-text.ts';
import { requireProgram } from './services/require-program.ts';

const root = new URL('../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');

interface Service {
  image: string;
  build?: { context: string; target: string };
  command?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  depends_on?: Record<string, { condition: string }>;
  network_mode?: string;
  healthcheck: { test: string[]; interval: string; timeout: string; retries: number };
}

const compose: { services: Record<string, Service>; volumes: Record<string, unknown> } = parse(
  read('docker-compose.yml'),
  {
    uniqueKeys: true,
    strict: true,
  },
);
const services = Object.entries(compose.services);
const dockerfile = read('Dockerfile');
const mounts = services.flatMap(([name, service]) =>
  (service.volumes ?? []).map((volume) => {
    const [from = '', to = '', mode] = volume.split(':');
    return { name, from, to, mode };
  }),
);

const KNOWN_SERVICE_KEYS = new Set(
  'build cap_drop command depends_on environment healthcheck image init network_mode ports read_only restart security_opt stop_grace_period tmpfs volumes'.split(
    ' ',
  ),
);

describe('docker-compose.yml', () => {
  const composer = requireProgram('docker-compose');
  it.skipIf(composer === undefined)('is taken by docker-compose itself', () => {
    execFileSync(composer!, ['--file', new URL('docker-compose.yml', root).pathname, 'config', '--quiet']);
  });

  it('has the gateway, InfluxDB, Grafana and simulators', () => {
    expect(Object.keys(compose.services)).toEqual(['gateway', 'influxdb', 'grafana', 'devices', 'plant']);
  });

  it.each(services)('%s says only what a compose file can say', (_, service) => {
    expect(Object.keys(service).filter((key) => !KNOWN_SERVICE_KEYS.has(key))).toEqual([]);
  });

  it.each(services)('%s has an image with a full version', (_, { image }) => {
    expect(image).toMatch(/^[\w./-]+:\d+\.\d+\.\d+$/);
  });

  it.each(services)('%s has a health check', (_, { healthcheck }) => {
    expect(['CMD', 'CMD-SHELL']).toContain(healthcheck.test[0]);
    expect(healthcheck.test.length).toBeGreaterThan(1);
    for (const word of healthcheck.test) expect(word).toBeTypeOf('string'); // `a: 1` without quotes is not
    expect([healthcheck.interval, healthcheck.timeout]).toEqual([
      expect.stringMatching(/^\d+s$/),
      expect.stringMatching(/^\d+s$/),
    ]);
    expect(healthcheck.retries).toBeGreaterThan(0);
  });

  it.each(services)('%s publishes its ports to this machine only', (_, { ports = [] }) => {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  it.each(services)('%s depends on services that are there, without a circle', (name, service) => {
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      expect(compose.services).toHaveProperty(other);
      expect(['service_started', 'service_healthy']).toContain(condition);
      expect(Object.keys(compose.services[other]?.depends_on ?? {})).not.toContain(name);
    }
    const shared = /^service:(.+)$/.exec(service.network_mode ?? '')?.[1];
    if (shared !== undefined) expect(Object.keys(service.depends_on ?? {})).toContain(shared);
  });

  it('publishes no port twice', () => {
    const published = services.flatMap(([, { ports = [] }]) => ports.map((port) => port.split(':')[1]));
    expect(new Set(published).size).toBe(published.length);
  });

  it('mounts files that exist, read-only, and volumes that are declared, all of them', () => {
    const named = mounts.filter(({ from }) => !from.startsWith('.')).map(({ from }) => from);
    expect([...new Set(named)].sort()).toEqual(Object.keys(compose.volumes).sort());
    for (const { from, to, mode } of mounts) {
      expect(to).toMatch(/^\//);
      if (!from.startsWith('.')) continue;
      expect(existsSync(new URL(from, root)), `${from} exists`).toBe(true);
      expect(mode).toBe('ro');
    }
  });

  it('builds stages that the Dockerfile has', () => {
    const stages = [...dockerfile.matchAll(/^FROM \S+ AS (\S+)$/gm)].map((match) => match[1]);
    for (const [, { build }] of services) if (build !== undefined) expect(stages).toContain(build.target);
  });

  it('builds images of the version of the package', () => {
    const { version } = JSON.parse(read('package.json')) as { version: string };
    for (const [, { build, image }] of services) if (build !== undefined) expect(image.split(':')[1]).toBe(version);
  });
});

describe('the gateway of docker-compose.yml', () => {
  const { gateway, influxdb, devices, plant } = compose.services;
  const configuration = configurationOf(read('config/examples/compose.yaml'));

  it('runs a configuration without problems, mounted where it looks for it', () => {
    const path = gateway?.command?.at(-1);
    expect(gateway?.command).toEqual(['headgate', 'run', '--config', path]);
    expect(mounts).toContainEqual({ name: 'gateway', from: './config/examples/compose.yaml', to: path, mode: 'ro' });
  });

  it('keeps its data on a volume', () => {
    expect(mounts).toContainEqual(
      expect.objectContaining({ name: 'gateway', from: 'gateway-data', to: configuration.storage.path }),
    );
  });

  it('listens on the ports that are published and used', () => {
    const mqtt = configuration.sources.find(({ type }) => type === 'mqtt');
    expect(mqtt).toMatchObject({ listen: { host: '0.0.0.0', port: 1883 } });
    expect(configuration.api.listen).toEqual({ host: '0.0.0.0', port: 8080 });
    expect(gateway?.ports).toEqual(['127.0.0.1:1883:1883', '127.0.0.1:8080:8080']);
    expect(devices?.command).toContain('mqtt://gateway:1883');
    expect(gateway?.healthcheck.test.join(' ')).toContain('http://127.0.0.1:8080/healthz');
  });

  it('reads the simulated plant, on the loopback that they share', () => {
    const opcua = configuration.sources.find(({ type }) => type === 'opcua');
    expect(plant?.network_mode).toBe('service:gateway');
    expect(opcua).toMatchObject({ endpoint: `opc.tcp://127.0.0.1:${plant?.command?.at(-1)}` });
  });

  it('writes to the InfluxDB that Grafana reads', () => {
    expect(configuration.sinks).toMatchObject([
      { type: 'influxdb', url: 'http://influxdb:8086', database: 'headgate' },
    ]);
    expect(influxdb?.environment?.['INFLUXDB_DB']).toBe('headgate');
  });
});

describe('the Grafana of docker-compose.yml', () => {
  const { grafana } = compose.services;
  const [datasource] = parse(read('config/grafana/provisioning/datasources/headgate.yaml')).datasources;
  const [provider] = parse(read('config/grafana/provisioning/dashboards/headgate.yaml')).providers;
  const dashboardText = read('config/grafana/dashboards/headgate.json');

  it('is told where InfluxDB is', () => {
    expect(datasource).toMatchObject({ type: 'influxdb', url: '$INFLUXDB_URL', jsonData: { dbName: 'headgate' } });
    expect(grafana?.environment?.['INFLUXDB_URL']).toBe('http://influxdb:8086');
  });

  it('finds the dashboards where they are mounted', () => {
    expect(mounts).toContainEqual(
      expect.objectContaining({ from: './config/grafana/dashboards', to: provider.options.path }),
    );
    expect(grafana?.environment?.['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH']).toBe(
      `${provider.options.path}/headgate.json`,
    );
  });

  it('has dashboards that use the provisioned data source and no other', () => {
    const uids = new Set(
      [...dashboardText.matchAll(/"type": "influxdb",\s*"uid": "([^"]+)"/g)].map((match) => match[1]),
    );
    expect([...uids]).toEqual([datasource.uid]);
  });

  it('has panels that do not overlap, with a number of their own', () => {
    const { panels } = JSON.parse(dashboardText) as {
      panels: { id: number; gridPos: { x: number; y: number; w: number; h: number } }[];
    };
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  });
});

describe('Dockerfile', () => {
  it('begins with one pinned image', () => {
    const external = [...dockerfile.matchAll(/^FROM (\S+:\S+)/gm)].map((match) => match[1]);
    expect(external).toEqual(['debian:13.1-slim']);
  });

  it('copies only what the builder is sent', () => {
    const sent = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((match) =>
      match[1]!.replaceAll('*', '').split(' '),
    );
    expect(copied.filter((path) => !sent.includes(path))).toEqual([]);
    for (const path of copied.filter((one) => one !== 'LICENSE'))
      expect(existsSync(new URL(path, root)), path).toBe(true);
  });

  it('runs as a user without rights, checks its health, and keeps its data on a volume', () => {
    const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
    expect(last).toMatch(/^USER headgate$/m);
    expect(last).toMatch(/^VOLUME \/var\/lib\/headgate$/m);
    expect(last).toMatch(/^HEALTHCHECK [\s\S]*127\.0\.0\.1:8080\/healthz/m);
  });
});
