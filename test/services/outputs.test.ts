import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { GatewayProcess } from './gateway-process.ts';
import { Mosquitto } from './mosquitto.ts';
import { MqttListener, retainedBelow } from './mqtt-listener.ts';
import { requireProgram } from './require-program.ts';
import { WebhookReceiver } from './webhook-receiver.ts';

const broker = requireProgram('mosquitto');
const sub = requireProgram('mosquitto_sub');
const pub = requireProgram('mosquitto_pub');
const python = requireProgram('python3');
const SECRET = `whsec_${Buffer.alloc(32, 'canary').toString('base64')}`;
const ending: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

/** Starts a whole gateway, with these items of `sinks`, on line protocol over HTTP. */
async function gatewayWith(sinks: readonly string[], maxima: readonly number[] = [30]): Promise<GatewayProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-outputs-'));
  ending.push(() => rm(folder, { recursive: true, force: true }));
  const apiPort = await freePort();
  const rules = maxima.map(
    (max) => `{ series: "*", detector: range, max: ${max}, alarm: { severity: critical, hold: 0s } }`,
  );
  const configuration = `
gateway: { name: hall }
storage: { path: ${join(folder, 'data')}, keepFree: 0B }
time: { idleTimeout: 1s }
sources: [{ name: floor, type: mqtt, listen: "127.0.0.1:${await freePort()}" }]
windows: [{ name: second, series: "*", window: { tumbling: 1s }, aggregates: [count, mean] }]
detect: [${rules.join(', ')}]
sinks: [${sinks.join(', ')}]
api: { listen: "127.0.0.1:${apiPort}" }
`;
  const gateway = await GatewayProcess.start(folder, configuration, `http://127.0.0.1:${apiPort}`);
  ending.push(() => gateway.kill());
  return gateway;
}

/** Writes readings of one series, a second apart, from second `from` on. */
async function write(gateway: GatewayProcess, values: readonly number[], from = 0): Promise<void> {
  const lines = values.map(
    (value, i) => `room,device=desk temperature=${value} ${1_767_600_000_000 + (from + i) * 1000}`,
  );
  const path = `${gateway.apiUrl}/api/v1/write?precision=ms`;
  const { status } = await fetch(path, { method: 'POST', body: lines.join('\n') });
  expect(status).toBe(204);
}

describe.skipIf([broker, sub, pub, python].includes(undefined))('a gateway with all its outputs', () => {
  it('has the broker keep an alarm that is active through a restart, though another of its series is cleared', async () => {
    const mosquitto = await Mosquitto.create(broker!);
    ending.push(() => mosquitto.remove());
    const kept = async () =>
      (await retainedBelow(sub!, mosquitto.port, 'headgate/hall/alarms/#')).map(({ alarm, active }) => [alarm, active]);
    const gateway = await gatewayWith([`{ name: broker, type: mqtt, url: "${mosquitto.url}" }`], [30, 100]);
    const delivered = (count: number) =>
      eventually(`${count} steps are published`, async () => {
        const { sinks } = await gateway.status();
        const { alarms } = await gateway.get<{ alarms: { active: boolean }[] }>('/api/v1/alarms?state=active');
        return alarms.length === count && sinks.every(({ ledger }) => ledger.pending === 0);
      });
    await write(gateway, [21, 150, 150]);
    await delivered(2);
    // Not killed: then the steps might be published once more, and known by that.
    await gateway.stop();
    await gateway.start();
    await write(gateway, [50, 50], 3);
    await delivered(1);
    expect(await kept()).toEqual([['range@desk/room_temperature@1767600001000', true]]);
    await write(gateway, [21, 21], 5);
    await delivered(0);
    expect(await kept()).toEqual([['range@desk/room_temperature@1767600001000', false]]);
  });

  it('publishes windows and alarms on a broker, and tells alarms to a receiver, one id for a step in both', async () => {
    const mosquitto = await Mosquitto.create(broker!);
    ending.push(() => mosquitto.remove());
    const listener = await MqttListener.start({ sub: sub!, pub: pub! }, mosquitto.port, 'headgate/hall/#');
    ending.push(() => listener.stop());
    const receiver = await WebhookReceiver.create(python!, SECRET);
    ending.push(() => receiver.kill());
    const gateway = await gatewayWith([
      `{ name: broker, type: mqtt, url: "${mosquitto.url}", batch: { every: 50ms } }`,
      `{ name: phones, type: webhook, url: "${receiver.url}", secret: ${SECRET} }`,
    ]);
    await write(gateway, [21, 22, 31, 32, 22, 21, 21]);
    await eventually('the receiver is told', () => receiver.received.length === 2);
    const heard = await eventually('the listener has heard', () => listener.heard.length >= 8 && listener.heard);
    const alarms = heard.filter(({ topic }) => topic === 'headgate/hall/alarms/desk/room_temperature');
    const told = receiver.received.map(({ problem, body }) => [problem, body.type, body.data['id']]);
    expect(told).toEqual(alarms.map(({ payload }) => [null, `alarm.${payload['state']}`, payload['id']]));
    const windows = heard.filter(({ topic }) => topic === 'headgate/hall/aggregates/desk/room_temperature/second');
    expect(windows.map(({ payload }) => payload['fields'])).toContainEqual({ count: 1, mean: 31 });
    expect(await retainedBelow(sub!, mosquitto.port, 'headgate/#')).toMatchObject([
      { state: 'cleared', active: false },
    ]);
    const phones = await eventually('every sink has everything', async () => {
      const { sinks } = await gateway.status();
      expect(sinks.map(({ name, type }) => [name, type])).toEqual([
        ['history', 'history'],
        ['broker', 'mqtt'],
        ['phones', 'webhook'],
      ]);
      return sinks.every(({ state, ledger }) => state === 'running' && ledger.pending === 0) && sinks.at(-1)!.ledger;
    });
    // What it is not told counts as filtered: the windows.
    expect(phones).toMatchObject({ delivered: 2, filtered: phones.received - 2, imbalance: 0, rejected: 0 });
  });
});

it('publishes on the broker of another gateway over WebSocket', async () => {
  const above = await gatewayWith([]);
  const url = `${above.apiUrl.replace('http', 'ws')}/mqtt`;
  const below = await gatewayWith([`{ name: above, type: mqtt, url: "${url}", batch: { every: 50ms } }`]);
  await write(below, [21, 31, 22, 21]);
  await eventually('the other gateway has four windows and two steps of an alarm', async () => {
    const { sources } = await above.status();
    return sources.find(({ name }) => name === 'floor')?.numbers['messagesTotal'] === 6;
  });
});

it('shows no secret of an output anywhere, whatever goes wrong', async () => {
  const refusing = createServer((_, response) => response.writeHead(401).end('who are you?'));
  await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
  ending.push(async () => refusing.close());
  const { port } = refusing.address() as AddressInfo;
  const gateway = await gatewayWith([
    `{ name: phones, type: webhook, url: "http://127.0.0.1:${port}/canary", secret: ${SECRET}, headers: { X-Any: canary } }`,
    `{ name: nobody, type: webhook, url: "http://127.0.0.1:1/canary", headers: { Authorization: Bearer canary } }`,
    `{ name: broker, type: mqtt, url: "mqtt://127.0.0.1:1", user: me, password: canary }`,
  ]);
  await write(gateway, [21, 31, 32]);
  const status = await eventually('every output is in trouble', async () => {
    const { sinks } = await gateway.status();
    return sinks.filter(({ state }) => state === 'degraded').length === 3 && sinks;
  });
  expect(status.find(({ name }) => name === 'phones')?.detail).toContain('answered 401: who are you?');
  const shown = [gateway.output, JSON.stringify(status)];
  for (const path of ['/api/v1/config', '/metrics', '/api/v1/dead-letters?limit=10', '/api/v1/status'])
    shown.push(await (await fetch(`${gateway.apiUrl}${path}`)).text());
  expect(shown.join('\n')).toContain('********');
  expect(shown.join('\n')).not.toMatch(/canary|Y2FuYXJ5/);
});
