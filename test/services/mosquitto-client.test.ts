import { afterEach, describe, expect, test } from 'vitest';
import { MqttClientSource } from '../../devices/mqtt/client.ts';
import { systemClock } from '../../gateway/base/system-clock.ts';
import { RecordingIntake } from '../devices/recording-intake.ts';
import { recordingLogger } from '../recording-logger.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { Mosquitto, mosquittoPub } from './mosquitto.ts';
import { requireProgram } from './require-program.ts';

const mosquitto = requireProgram('mosquitto');
const pub = requireProgram('mosquitto_pub');
const cleanUp: (() => Promise<void>)[] = [];
const signal = new AbortController().signal;

afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function startBroker(): Promise<Mosquitto> {
  const broker = await Mosquitto.create(mosquitto!);
  cleanUp.push(() => broker.remove());
  return broker;
}

async function startSource(url: string, intake: RecordingIntake, qos: 0 | 1 | 2 = 1): Promise<MqttClientSource> {
  const source = new MqttClientSource({ name: 'floor', url, readings: [{ topic: 'sensors/_/+' }], qos }, intake, {
    clock: systemClock,
    logger: recordingLogger(),
    random: () => 0.2,
  });
  cleanUp.push(() => source.stop(signal));
  await source.start(signal);
  return source;
}

const isRunning = (source: MqttClientSource) => () => source.status().state === 'running';
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => String(from + i));
const values = (intake: RecordingIntake) => intake.readings.map(({ value }) => Number(value));
const TOPIC = 'sensors/press-1/temperature';

describe.skipIf(mosquitto === undefined || pub === undefined)('a client of a real mosquitto', () => {
  test.each([0, 1, 2] as const)('takes readings at QoS %i', async (qos) => {
    const broker = await startBroker();
    const intake = new RecordingIntake();
    const source = await startSource(broker.url, intake, qos);
    await eventually('connection', isRunning(source));
    await mosquittoPub(pub!, broker.port, TOPIC, numbers(0, 200), ['-q', String(qos)]);
    await eventually('all readings', () => intake.readings.length >= 200);
    expect(values(intake)).toEqual(numbers(0, 200).map(Number));
    expect(intake.summary()[0]).toBe('press-1/temperature=0');
  });

  test.each([1, 2] as const)('loses nothing published while the gateway is away, at QoS %i', async (qos) => {
    const broker = await startBroker();
    const before = new RecordingIntake();
    const first = await startSource(broker.url, before, qos);
    await eventually('connection', isRunning(first));
    await mosquittoPub(pub!, broker.port, TOPIC, numbers(0, 50), ['-q', String(qos)]);
    await eventually('the first readings', () => before.readings.length >= 50);
    await first.stop(signal);
    await mosquittoPub(pub!, broker.port, TOPIC, numbers(50, 300), ['-q', String(qos)]);
    const after = new RecordingIntake();
    await startSource(broker.url, after, qos);
    await eventually('the others', () => after.readings.length >= 250);
    expect(new Set([...values(before), ...values(after)])).toEqual(new Set(numbers(0, 300).map(Number)));
  });

  test.each([1, 2] as const)('a message that was not acknowledged comes again, at QoS %i', async (qos) => {
    const broker = await startBroker();
    const stalled = new RecordingIntake();
    stalled.hold = true;
    const first = await startSource(broker.url, stalled, qos);
    await eventually('connection', isRunning(first));
    await mosquittoPub(pub!, broker.port, TOPIC, numbers(0, 5), ['-q', String(qos)]);
    await eventually('the readings', () => stalled.readings.length === 5);
    await first.stop(signal);
    const after = new RecordingIntake();
    await startSource(broker.url, after, qos);
    await eventually('the readings again', () => after.readings.length >= 5);
    expect(values(after)).toEqual([0, 1, 2, 3, 4]);
  });

  test('is degraded while the broker is away, says why, and goes on when it returns', async () => {
    const broker = await startBroker();
    const intake = new RecordingIntake();
    const source = await startSource(broker.url, intake);
    await eventually('connection', isRunning(source));
    await broker.stop();
    await eventually('the state', () => source.status().state === 'degraded');
    expect(source.status().detail).toMatch(/(lost|cannot connect).*trying again/);
    await broker.start();
    await eventually('connection again', isRunning(source));
    await mosquittoPub(pub!, broker.port, TOPIC, ['7'], ['-q', '1']);
    await eventually('the reading', () => intake.readings.length === 1);
  });
});

test('a broker that is not there makes it degraded, with the reason and without the password', async () => {
  const port = await freePort();
  const source = await startSource(`mqtt://user:secret@127.0.0.1:${port}`, new RecordingIntake());
  await eventually('the state', () => source.status().state === 'degraded');
  expect(source.status().detail).toContain(`cannot connect to mqtt://127.0.0.1:${port}: connect ECONNREFUSED`);
  expect(JSON.stringify(source.status())).not.toContain('secret');
});
