import { afterEach, expect, it } from 'vitest';
import { MqttBroker } from '../../../../devices/mqtt/broker.ts';
import { systemClock } from '../../../../gateway/base/system-clock.ts';
import { MqttSink } from '../../../../gateway/sinks/mqtt/mqtt.ts';
import { RecordingIntake } from '../../../devices/recording-intake.ts';
import { recordingLogger } from '../../../recording-logger.ts';
import { eventually } from '../../../services/eventually.ts';
import { aggregate, alarm, T0 } from '../results.ts';

const signal = new AbortController().signal;
const ending: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

it('publishes to the embedded broker of another gateway, over MQTT 3.1.1, which reads it', async () => {
  const intake = new RecordingIntake();
  const parts = { clock: systemClock, logger: recordingLogger() };
  const readings = [
    { topic: 'headgate/#', template: '_/_/_/device/metric/_', json: { values: 'fields', time: 'start' } },
  ] as const;
  const listen = { host: '127.0.0.1', port: 0 };
  const users = [{ name: 'sinks', password: 'secret' }];
  const broker = new MqttBroker({ name: 'hall', listen, users, readings }, intake, parts);
  await broker.start(signal);
  ending.push(() => broker.stop(signal));
  const options = {
    name: 'hall',
    url: `mqtt://127.0.0.1:${broker.port}`,
    clientId: 'below',
    user: 'sinks',
    prefix: 'headgate',
    gateway: { name: 'press-hall', tags: {} },
    aggregates: true,
    alarms: { severity: 'info', series: '*' },
  } as const;
  const sinkOf = (password: string) => {
    const sink = new MqttSink({ ...options, password }, { ...parts, activeAlarms: () => [] });
    ending.push(() => sink.stop(signal));
    return sink;
  };
  await expect(sinkOf('wrong').write([aggregate()], signal)).rejects.toMatchObject({ kind: 'configuration' });
  const batch = Array.from({ length: 500 }, (_, i) => aggregate({ start: T0 + i }));
  expect(await sinkOf('secret').write([...batch, alarm()], signal)).toEqual([]);
  await eventually('every reading has come', () => intake.readings.length === 500 * 4);
  expect(broker.status().numbers).toMatchObject({ messagesTotal: 501, retainedMessages: 1 });
});
