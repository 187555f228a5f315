import { afterEach, describe, expect, test } from 'vitest';
import { MqttBroker, type MqttBrokerOptions } from '../../../devices/mqtt/broker.ts';
import { systemClock } from '../../../gateway/base/system-clock.ts';
import { recordingLogger } from '../../recording-logger.ts';
import { eventually } from '../../services/eventually.ts';
import { RecordingIntake } from '../recording-intake.ts';
import {
  type ConnectOptions,
  connectFrame,
  frame,
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
