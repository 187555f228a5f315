import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { GatewayStatus } from '../../gateway/core/view.ts';
import { playCsv } from '../../simulators/csv-player.ts';
import { type OpcuaPlayback, startOpcuaPlayback } from '../../simulators/opcua-player.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { GatewayProcess } from './gateway-process.ts';
import { type Influxd, startInfluxd } from './influxd.ts';
import { differences, type Recording, recordingOf } from './reference-differences.ts';
import { uncounted } from './uncounted.ts';

const DATA = join(import.meta.dirname, '..', '..', '..', 'shared', 'anomaly', 'data');
const HOUR = 3_600_000;
const MINUTE = 60_000;
const PLAY_WITHIN_MS = 120_000;

const recordings = findRecordings();
if (recordings.length === 0) process.stderr.write(`skipped: the recordings are not at ${DATA}\n`);

describe.skipIf(recordings.length === 0)('recordings played at full speed into a running gateway', () => {
  let folder: string;
  let influxd: Influxd | undefined;
  let gateway: GatewayProcess | undefined;
  let playbacks: readonly OpcuaPlayback[];
  let giveUp: AbortController;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'headgate-real-input-'));
    influxd = await startInfluxd();
    playbacks = [];
    giveUp = new AbortController();
  });

  afterEach(async () => {
    giveUp.abort();
    await Promise.all(playbacks.map((playback) => playback.stop()));
    await gateway?.kill();
    await influxd?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  /** Plays every recording over MQTT; resolves when each value is acknowledged. */
  async function playOverMqtt(port: number, onProgress: (acknowledged: number) => void): Promise<void> {
    let acknowledged = 0;
    const onAcknowledged = () => onProgress(++acknowledged);
    await Promise.all(
      recordings.map(({ file, device }) => {
        const url = `mqtt://127.0.0.1:${port}`;
        return playCsv({ file, device, url, inFlight: 200, qos: 1, resend: true, onAcknowledged }, giveUp.signal);
      }),
    );
    expect(acknowledged).toBe(totalValues());
  }

  async function expectEveryWindow(running: GatewayProcess): Promise<void> {
    // The last windows close when their devices have been silent for a while, and late corrections follow a second later.
    await eventually('every window is stored as it should be', () => everyWindowIsRight(running), PLAY_WITHIN_MS).catch(
      (error: unknown) => process.stderr.write(`${String(error)}\n`),
    );
    const status = await running.status();
    expect(status.ledger).toMatchObject({ aggregated: totalValues(), late: 0, rejected: 0, dropped: 0, filtered: 0 });
    expect(uncounted(status)).toBe(0);
    for (const recording of recordings) {
      const { compared, ...found } = await differences(influxd!, 'headgate', recording);
      expect(found).toEqual({ device: recording.device, different: [], missing: [], extra: [] });
      expect(compared).toBeGreaterThan(0);
    }
  }

  async function everyWindowIsRight(running: GatewayProcess): Promise<boolean> {
    if (!isSettled(await running.status())) return false;
    for (const recording of recordings) {
      const { different, missing, extra } = await differences(influxd!, 'headgate', recording);
      if (different.length + missing.length + extra.length > 0) return false;
    }
    return true;
  }

  /** A gateway with an embedded broker. */
  async function startMqttGateway(): Promise<{ running: GatewayProcess; port: number }> {
    const port = await freePort();
    const source = `
  - name: floor
    type: mqtt
    listen: 127.0.0.1:${port}
    readings:
      - { topic: sensors/_/+, template: _/device/metric, json: { value: value, time: ts, timeUnit: ms } }`;
    return { running: await startGateway(source), port };
  }

  async function startGateway(sources: string): Promise<GatewayProcess> {
    const api = await freePort();
    const text = `
gateway: { name: reference, tags: { site: test } }
storage: { path: ${join(folder, 'data')}, keepFree: 1 MiB, checkpointEvery: 1s }
time: { idleTimeout: 2s }
sources:${sources}
windows:
  - { name: hour, series: machine/*, window: { tumbling: 1h, allowedLateness: 2h }, aggregates: [${AGGREGATES}] }
  - { name: minute, series: valve-*/*, window: { tumbling: 1m, allowedLateness: 1m }, aggregates: [${AGGREGATES}] }
detect:
  - { series: "*", detector: novelty, alarm: { severity: warning, hold: 30s } }
sinks:
  - { name: influx, type: influxdb, url: ${influxd!.url}, database: headgate, batch: { every: 100ms } }
api: { listen: 127.0.0.1:${api} }
`;
    gateway = await GatewayProcess.start(folder, text, `http://127.0.0.1:${api}`);
    return gateway;
  }

  /** Starts playing over MQTT; `half` resolves when half of the values are acknowledged, `played` when all are. */
  async function playFromTheStart() {
    const { running, port } = await startMqttGateway();
    const half = Promise.withResolvers<void>();
    const played = playOverMqtt(port, (acknowledged) => {
      if (acknowledged > totalValues() / 2) half.resolve();
    });
    return { running, half: half.promise, played };
  }

  /** Takes InfluxDB away, at once, until everything is played and the gateway has noticed. */
  async function withoutInfluxd(running: GatewayProcess, played: Promise<unknown>): Promise<void> {
    await influxd!.kill();
    await played;
    await eventually('the sink says that InfluxDB is away', async () => {
      const { sinks } = await running.status();
      return sinks.some(({ name, state }) => name === 'influx' && state === 'degraded');
    });
    await influxd!.start();
  }

  async function playFromPlcs(): Promise<{ running: GatewayProcess; played: Promise<unknown> }> {
    playbacks = await Promise.all(
      recordings.map(({ file, device }) => startOpcuaPlayback({ file, device, secure: false }, giveUp.signal)),
    );
    const sources = playbacks.map((playback, i) => opcuaSource(recordings[i]!.device, playback));
    const running = await startGateway(sources.join(''));
    return { running, played: Promise.all(playbacks.map((playback) => playback.played)) };
  }

  const settings = { timeout: 180_000 };

  test('MQTT at QoS 1: every window in InfluxDB equals the reference', settings, async (context) => {
    if (influxd === undefined) return context.skip('influxd is not installed');
    const { running, played } = await playFromTheStart();
    await played;
    await expectEveryWindow(running);
  });

  test('MQTT, InfluxDB stopped in the middle and started again: the same', settings, async (context) => {
    if (influxd === undefined) return context.skip('influxd is not installed');
    const { running, half, played } = await playFromTheStart();
    await half;
    await withoutInfluxd(running, played);
    await expectEveryWindow(running);
  });

  test('MQTT, the gateway killed in the middle and started again: the same', settings, async (context) => {
    if (influxd === undefined) return context.skip('influxd is not installed');
    const { running, half, played } = await playFromTheStart();
    await half;
    await running.kill();
    await running.start();
    await played;
    await expectEveryWindow(running);
  });

  test('OPC-UA, each change reported: every window in InfluxDB equals the reference', settings, async (context) => {
    if (influxd === undefined) return context.skip('influxd is not installed');
    const { running, played } = await playFromPlcs();
    await played;
    await expectEveryWindow(running);
  });

  test('OPC-UA, InfluxDB stopped in the middle and started again: the same', settings, async (context) => {
    if (influxd === undefined) return context.skip('influxd is not installed');
    const { running, played } = await playFromPlcs();
    // Early: what is told of a busy gateway is old already, and much must be left to come.
    const begun = async () => (await running.status()).ledger.received > totalValues() / 10;
    await eventually('a tenth of the values has arrived', begun, 60_000);
    await withoutInfluxd(running, played);
    await expectEveryWindow(running);
  });
});

const AGGREGATES = 'count, mean, min, max, stddev, first, last, median, p95';

function opcuaSource(device: string, { endpointUrl, nodeIds }: OpcuaPlayback): string {
  const nodes = nodeIds.map(
    (id) => `{ id: "${id}", device: ${device}, metric: ${id.slice(id.lastIndexOf('.') + 1)}, sampling: 0s }`,
  );
  return `
  - { name: ${device}, type: opcua, endpoint: "${endpointUrl}", publishingInterval: 50ms, nodes: [${nodes.join(', ')}] }`;
}

function findRecordings(): readonly Recording[] {
  if (!existsSync(DATA)) return [];
  const machine = join(DATA, 'nab', 'realKnownCause', 'machine_temperature_system_failure.csv');
  const valves = join(DATA, 'skab', 'valve1');
  return [
    recordingOf({ file: machine, device: 'machine', window: 'hour', sizeMs: HOUR }),
    ...readdirSync(valves).map((name, i) =>
      recordingOf({ file: join(valves, name), device: `valve-${i}`, window: 'minute', sizeMs: MINUTE }),
    ),
  ];
}

function totalValues(): number {
  return recordings.reduce((sum, { values }) => sum + values, 0);
}

/** Everything is analysed, every window has closed, every result is stored. */
function isSettled(status: GatewayStatus): boolean {
  const { ledger, outbox, sinks } = status;
  return (
    ledger.inFlight === 0 &&
    outbox.durableOffset === outbox.nextOffset &&
    sinks.every(({ backlog }) => backlog.records === 0) &&
    ledger.aggregated >= totalValues()
  );
}
