import { afterEach, describe, expect, test } from 'vitest';
import { MqttBroker, type MqttBrokerOptions } from '../../../devices/mqtt/broker.ts';
import { systemClock } from '../../../gateway/base/system-clock.ts';
import { recordingLogger } from '../../recording-logger.ts';
import { eventually } from '../../services/eventually.ts';
import { RecordingIntake } from '../recording-intake.ts';
import {
  type ConnectOptions,
  connectFrame,
  publishFrame,
  pubrelFrame,
  RawClient,
  subscribeFrame,
} from './raw-client.ts';

const running: MqttBroker[] = [];
const clients: RawClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const broker of running.splice(0)) await broker.stop(new AbortController().signal);
});

async function startBroker(options: Partial<MqttBrokerOptions> = {}) {
  const intake = new RecordingIntake();
  const broker = new MqttBroker(
    {
      name: 'floor',
      listen: { host: '127.0.0.1', port: 0 },
      readings: [{ topic: 'sensors/_/+', template: '_/device/metric' }],
      ...options,
    },
    intake,
    { clock: systemClock, logger: recordingLogger() },
  );
  running.push(broker);
  await broker.start(new AbortController().signal);
  return { broker, intake };
}

async function connect(broker: MqttBroker, options: ConnectOptions = { id: 'tester' }): Promise<RawClient> {
  const client = await RawClient.connect(broker.port, options);
  clients.push(client);
  return client;
}

function open(broker: MqttBroker): RawClient {
  const client = new RawClient(broker.port);
  clients.push(client);
  return client;
}

const TOPIC = 'sensors/press-1/temperature';

describe('acknowledgement', () => {
  test('PUBACK waits until the intake has acknowledged', async () => {
    const { broker, intake } = await startBroker();
    intake.hold = true;
    const client = await connect(broker);
    client.send(publishFrame({ topic: TOPIC, payload: '{"value":21.5}', id: 7 }));
    await eventually('the reading', () => intake.held.length === 1);
    // A PINGREQ behind it is answered: nothing but the acknowledgement is missing.
    client.send(Buffer.from([0xc0, 0]));
    expect((await client.frame())?.toString('hex')).toBe('d000');
    intake.release();
    expect((await client.frame())?.toString('hex')).toBe('40020007');
    expect(intake.summary()).toEqual(['press-1/temperature=21.5']);
  });

  test('PUBREC waits too, and the exchange ends with PUBCOMP', async () => {
    const { broker, intake } = await startBroker();
    intake.hold = true;
    const client = await connect(broker);
    client.send(publishFrame({ topic: TOPIC, payload: '1', id: 7, qos: 2 }));
    await eventually('the reading', () => intake.held.length === 1);
    intake.release();
    expect((await client.frame())?.toString('hex')).toBe('50020007');
    client.send(pubrelFrame(7));
    expect((await client.frame())?.toString('hex')).toBe('70020007');
  });
});

describe('QoS 2', () => {
  const resent = publishFrame({ topic: TOPIC, payload: '1', id: 7, qos: 2, dup: true });

  test('a message that is sent again before its PUBREL is admitted once, over a lost connection too', async () => {
    const { broker, intake } = await startBroker();
    const first = await connect(broker, { id: 'plc', clean: false });
    first.send(publishFrame({ topic: TOPIC, payload: '1', id: 7, qos: 2 }));
    first.send(resent);
    expect((await first.frame())?.[0]).toBe(0x50);
    expect((await first.frame())?.[0]).toBe(0x50);
    first.close();
    const second = await connect(broker, { id: 'plc', clean: false });
    second.send(resent);
    expect((await second.frame())?.[0]).toBe(0x50);
    expect(intake.readings).toHaveLength(1);
  });

  test('after its PUBREL the id is a new message', async () => {
    const { broker, intake } = await startBroker();
    const client = await connect(broker);
    for (let round = 0; round < 2; round++) {
      client.send(publishFrame({ topic: TOPIC, payload: '1', id: 7, qos: 2 }));
      expect((await client.frame())?.[0]).toBe(0x50);
      client.send(pubrelFrame(7));
      expect((await client.frame())?.[0]).toBe(0x70);
    }
    expect(intake.readings).toHaveLength(2);
  });
});

describe('bad input', () => {
  test('a payload that cannot be read is set aside and acknowledged, and the connection stays up', async () => {
    const { broker, intake } = await startBroker();
    const client = await connect(broker);
    const bad: (string | Uint8Array)[] = ['{', '{"value":"21.5"}', '{"value":1e400}', Buffer.from([0xff, 0xfe]), ''];
    for (const [i, payload] of bad.entries()) {
      client.send(publishFrame({ topic: TOPIC, payload, id: i + 1 }));
      expect((await client.frame())?.toString('hex')).toBe(`400200${(i + 1).toString(16).padStart(2, '0')}`);
    }
    client.send(publishFrame({ topic: TOPIC, payload: '2', id: 9 }));
    expect((await client.frame())?.toString('hex')).toBe('40020009');
    expect(intake.rejections).toHaveLength(bad.length);
    expect(intake.summary()).toEqual(['press-1/temperature=2']);
  });

  test('a payload of nearly 1 MB is set aside whole, one announced larger than the limit closes the connection', async () => {
    const { broker, intake } = await startBroker();
    const client = await connect(broker);
    client.send(publishFrame({ topic: TOPIC, payload: Buffer.alloc(1_000_000, 0x20), id: 3 }));
    expect((await client.frame())?.toString('hex')).toBe('40020003');
    expect(intake.rejections).toHaveLength(1);
    client.send(publishFrame({ topic: TOPIC, payload: Buffer.alloc(2_100_000, 0x20), id: 4 }));
    await client.waitClosed();
    expect(intake.rejections).toHaveLength(1);
    expect(broker.status().numbers['oversizedPacketsTotal']).toBe(1);
  });

  test('before CONNECT a packet announced large is refused early', async () => {
    const { broker } = await startBroker();
    const client = open(broker);
    client.send(Buffer.concat([Buffer.from([0x10, 0xff, 0xff, 0x7f]), Buffer.alloc(10_000)]));
    client.send(Buffer.alloc(100_000));
    await client.waitClosed();
  });

  test.each([
    ['U+0000', 'sensors/a\0b/t'],
    ['a control character', 'sensors/a\u0007b/t'],
    ['U+FFFF', 'sensors/a\uffffb/t'],
    ['a surrogate', Buffer.concat([Buffer.from('sensors/a'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('/t')])],
    ['a wildcard', 'sensors/+/t'],
    ['the $SYS prefix', '$SYS/broker/x'],
  ])('a topic with %s closes the connection and brings no reading', async (_what, topic) => {
    const { broker, intake } = await startBroker();
    const client = await connect(broker);
    client.send(publishFrame({ topic, payload: '1' }));
    await client.waitClosed();
    expect([...intake.readings, ...intake.rejections]).toEqual([]);
  });

  test.each(['constructor', '__proto__', 'hasOwnProperty'])(
    '%s is a client id and a topic like any other',
    async (name) => {
      const { broker, intake } = await startBroker();
      const client = await connect(broker, { id: name, clean: false });
      client.send(subscribeFrame(`sensors/${name}/#`, 1));
      expect((await client.frame())?.[0]).toBe(0x90);
      client.send(publishFrame({ topic: `sensors/${name}/${name}`, payload: '1' }));
      const heads = [(await client.frame())?.[0], (await client.frame())?.[0]].sort();
      expect(heads).toEqual([0x32, 0x40]);
      expect(intake.summary()).toEqual([`${name}/${name}=1`]);
      expect({}).not.toHaveProperty('polluted');
    },
  );

  test('client ids with control characters are refused', async () => {
    const { broker } = await startBroker();
    const client = open(broker);
    client.send(connectFrame({ id: 'a\u0001b' }));
    await client.waitClosed();
    expect(broker.status().numbers['refusedClientsTotal']).toBe(1);
  });

  test('topics that begin with $ are not readings', async () => {
    const { broker, intake } = await startBroker({ readings: [{ topic: '#' }] });
    const client = await connect(broker);
    client.send(publishFrame({ topic: '$other/x', payload: '1' }));
    expect((await client.frame())?.[0]).toBe(0x40);
    expect([...intake.readings, ...intake.rejections]).toEqual([]);
  });
});

describe('as a broker', () => {
  test('subscribers get messages, the will of a client that vanished, and retained messages', async () => {
    const { broker, intake } = await startBroker();
    const subscriber = await connect(broker, { id: 'subscriber' });
    subscriber.send(subscribeFrame('sensors/#'));
    await subscriber.frame();
    const device = await connect(broker, {
      id: 'device',
      will: { topic: 'sensors/press-1/alive', payload: 'false', qos: 1 },
    });
    device.send(publishFrame({ topic: TOPIC, payload: '20', retain: true }));
    expect((await subscriber.frame())?.toString('latin1')).toContain(`${TOPIC}20`);
    device.close();
    expect((await subscriber.frame())?.toString('latin1')).toContain('alivefalse');
    expect(intake.summary()).toEqual(['press-1/temperature=20', 'press-1/alive=false']);
    const late = await connect(broker, { id: 'late' });
    late.send(subscribeFrame('sensors/press-1/+'));
    await late.frame();
    const retained = await late.frame();
    expect((retained?.[0] ?? 0) & 1).toBe(1);
    expect(retained?.toString('latin1')).toContain(TOPIC);
  });

  test('a message to a topic that was unheard before reaches its new subscriber', async () => {
    const { broker } = await startBroker();
    const client = await connect(broker);
    client.send(publishFrame({ topic: TOPIC, payload: '1', qos: 1, id: 1 }));
    await client.frame();
    client.send(subscribeFrame(TOPIC));
    await client.frame();
    client.send(publishFrame({ topic: TOPIC, payload: '2', qos: 0 }));
    expect((await client.frame())?.toString('latin1')).toContain(`${TOPIC}2`);
  });

  test('a session that is away gets its messages when it returns', async () => {
    const { broker } = await startBroker();
    const away = await connect(broker, { id: 'away', clean: false });
    away.send(subscribeFrame('sensors/#', 1));
    await away.frame();
    away.close();
    await eventually('the client to be gone', () => broker.status().numbers['clients'] === 0);
    const publisher = await connect(broker, { id: 'publisher' });
    publisher.send(publishFrame({ topic: TOPIC, payload: '5' }));
    await publisher.frame();
    const back = await connect(broker, { id: 'away', clean: false });
    expect((await back.frame())?.toString('latin1')).toContain(TOPIC);
  });
});

describe('back-pressure', () => {
  test('while too much is unacknowledged no socket is read, and nothing is lost when the journal goes on', async () => {
    const { broker, intake } = await startBroker({ maxInFlightBytes: 20_000 });
    intake.hold = true;
    const publishers = await Promise.all([1, 2, 3, 4].map((i) => connect(broker, { id: `p${i}` })));
    const count = 2000;
    const burst = Buffer.concat(
      Array.from({ length: count }, (_, i) => publishFrame({ topic: TOPIC, payload: `${i}`, id: i + 1 })),
    );
    for (const publisher of publishers) publisher.send(burst);
    await eventually('a client to be kept waiting', () => broker.status().numbers['waitingClients']! > 0);
    expect(intake.readings.length).toBeLessThan(publishers.length * count);
    intake.release();
    for (const publisher of publishers) {
      for (let i = 0; i < count; i++) expect((await publisher.frame())?.[0]).toBe(0x40);
    }
    expect(intake.readings).toHaveLength(publishers.length * count);
    await eventually('all counted out', () => broker.status().numbers['inFlightBytes'] === 0);
  });

  test('a subscriber that never reads does not hold up a publisher', async () => {
    const { broker } = await startBroker();
    const frozen = await connect(broker, { id: 'frozen' });
    frozen.send(subscribeFrame('sensors/#'));
    await frozen.frame();
    frozen.socket.pause();
    const publisher = await connect(broker, { id: 'publisher' });
    const payload = `{"value":1,"pad":"${'x'.repeat(50_000)}"}`;
    for (let i = 1; i <= 300; i++) {
      publisher.send(publishFrame({ topic: TOPIC, payload, id: i }));
      expect((await publisher.frame())?.[0]).toBe(0x40);
    }
    expect(broker.status().numbers['undeliveredTotal']).toBeGreaterThan(0);
  });
});

describe('access', () => {
  const users = [{ name: 'press', password: 'secret' }];

  test.each([
    ['right name and password', { user: 'press', password: 'secret' }, 0],
    ['wrong password', { user: 'press', password: 'Secret' }, 4],
    ['unknown name', { user: 'nobody', password: 'secret' }, 4],
    ['no name', {}, 5],
  ])('%s', async (_what, credentials, code) => {
    const { broker } = await startBroker({ users });
    const client = open(broker);
    client.send(connectFrame({ id: 'x', ...credentials }));
    expect((await client.frame())?.[3]).toBe(code);
  });

  test('listening beyond loopback without users is refused with a hint', async () => {
    await expect(startBroker({ listen: { host: '0.0.0.0', port: 0 } })).rejects.toMatchObject({
      name: 'GatewayError',
      hint: expect.stringContaining('allowAnonymous'),
    });
  });

  test('a port in use is refused with a hint', async () => {
    const { broker } = await startBroker();
    await expect(startBroker({ listen: { host: '127.0.0.1', port: broker.port } })).rejects.toMatchObject({
      name: 'GatewayError',
      hint: expect.stringContaining('another program'),
    });
  });

  test('connections past the limit of an address are cut and counted', async () => {
    const { broker } = await startBroker({ maxConnectionsPerAddress: 1 });
    await connect(broker);
    const second = open(broker);
    await second.waitClosed();
    expect(broker.status().numbers['refusedConnectionsTotal']).toBe(1);
  });

  test('stop is safe twice and before start', async () => {
    const { broker } = await startBroker();
    const signal = new AbortController().signal;
    await broker.stop(signal);
    await broker.stop(signal);
    expect(broker.status().state).toBe('stopped');
  });
});

describe('protocol', () => {
  test.each([
    ['a publish with message id 0', publishFrame({ topic: TOPIC, payload: '1', id: 0 })],
    ['a QoS 0 publish marked as sent again', publishFrame({ topic: TOPIC, payload: '1', qos: 0, dup: true })],
    ['a filter with a control character', subscribeFrame('a/\u0001')],
  ])('%s closes the connection', async (_what, bytes) => {
    const { broker, intake } = await startBroker();
    const client = await connect(broker);
    client.send(bytes);
    await client.waitClosed();
    expect(intake.readings).toEqual([]);
  });

  test('a session without a client id is refused by CONNACK 2', async () => {
    const { broker } = await startBroker();
    const client = open(broker);
    client.send(connectFrame({ id: '', clean: false }));
    expect((await client.frame())?.toString('hex')).toBe('20020002');
    await client.waitClosed();
  });

  test('what is published right behind CONNECT, before CONNACK, is taken', async () => {
    const { broker, intake } = await startBroker();
    const client = open(broker);
    const publishes = Array.from({ length: 200 }, (_, i) => publishFrame({ topic: TOPIC, payload: `${i}`, id: i + 1 }));
    client.send(Buffer.concat([connectFrame({ id: 'eager' }), ...publishes]));
    for (let i = 0; i <= 200; i++) await client.frame();
    expect(intake.readings).toHaveLength(200);
    expect(await client.answersPing()).toBe(true);
  });
});
