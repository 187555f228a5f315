import { afterEach, describe, expect, test } from 'vitest';
import { MqttBroker } from '../../devices/mqtt/broker.ts';
import { systemClock } from '../../gateway/base/system-clock.ts';
import { RecordingIntake } from '../devices/recording-intake.ts';
import { recordingLogger } from '../recording-logger.ts';
import { mosquittoPub, mosquittoSub } from './mosquitto.ts';
import { requireProgram } from './require-program.ts';

const pub = requireProgram('mosquitto_pub');
const sub = requireProgram('mosquitto_sub');
const signal = new AbortController().signal;
let broker: MqttBroker | undefined;

afterEach(async () => {
  await broker?.stop(signal);
});

async function startBroker() {
  const intake = new RecordingIntake();
  broker = new MqttBroker(
    { name: 'floor', listen: { host: '127.0.0.1', port: 0 }, readings: [{ topic: 'sensors/#' }] },
    intake,
    { clock: systemClock, logger: recordingLogger() },
  );
  await broker.start(signal);
  return { intake, port: broker.port };
}

describe.skipIf(pub === undefined || sub === undefined)('the embedded broker and the tools of mosquitto', () => {
  test.each(['0', '1', '2'])('publish and subscribe at QoS %s', async (qos) => {
    const { intake, port } = await startBroker();
    const subscriber = mosquittoSub(sub!, port, 'sensors/#', 20, ['-q', qos]);
    await subscriber.subscribed;
    const lines = Array.from({ length: 20 }, (_, i) => String(i));
    await mosquittoPub(pub!, port, 'sensors/p/t', lines, ['-q', qos]);
    expect(await subscriber.messages).toEqual(lines.map((line) => `sensors/p/t ${line}`));
    expect(intake.summary()).toEqual(lines.map((line) => `p/t=${line}`));
  });

  test('a retained message comes to who subscribes later', async () => {
    const { port } = await startBroker();
    await mosquittoPub(pub!, port, 'sensors/p/t', ['5'], ['-q', '1', '-r']);
    expect(await mosquittoSub(sub!, port, 'sensors/#', 1).messages).toEqual(['sensors/p/t 5']);
  });

  test('the will of a client that is killed is published and is a reading', async () => {
    const { intake, port } = await startBroker();
    const watcher = mosquittoSub(sub!, port, 'sensors/p/alive', 1);
    await watcher.subscribed;
    const will = ['--will-topic', 'sensors/p/alive', '--will-payload', 'false', '--will-qos', '2'];
    const dying = mosquittoSub(sub!, port, 'other/#', 1, will);
    await dying.subscribed;
    dying.kill();
    expect(await watcher.messages).toEqual(['sensors/p/alive false']);
    expect(intake.summary()).toEqual(['p/alive=false']);
  });
});
