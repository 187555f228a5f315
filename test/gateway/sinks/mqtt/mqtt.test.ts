import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../../gateway/base/system-clock.ts';
import { GatewayError } from '../../../../gateway/core/errors.ts';
import type { Result } from '../../../../gateway/core/result.ts';
import { SinkError } from '../../../../gateway/core/sink.ts';
import { MqttSink, type MqttSinkOptions } from '../../../../gateway/sinks/mqtt/mqtt.ts';
import { recordingLogger } from '../../../recording-logger.ts';
import { eventually } from '../../../services/eventually.ts';
import { failureOf } from '../failure.ts';
import { aggregate, alarm, T0 } from '../results.ts';
import { PretendedBroker, type Verdict } from './pretended-broker.ts';

const signal = new AbortController().signal;
/** CONNACK properties: their id and value. */
const RECEIVE_MAXIMUM_3 = [0x21, 0, 3];
const MAXIMUM_QOS_0 = [0x24, 0];
const NO_RETAIN = [0x25, 0];

/** Brokers that misbehave as no real one does on demand. Real ones are in test/services. */
describe('MqttSink', () => {
  let broker: PretendedBroker;
  let logger: ReturnType<typeof recordingLogger>;
  const sinks: MqttSink[] = [];

  beforeEach(async () => {
    broker = await PretendedBroker.start();
    logger = recordingLogger();
  });
  afterEach(async () => {
    for (const sink of sinks.splice(0)) await sink.stop(signal);
    await broker.stop();
  });

  function sinkOf(change: Partial<MqttSinkOptions> = {}): MqttSink {
    const options = {
      name: 'hall',
      url: broker.url,
      clientId: 'headgate-test',
      prefix: 'headgate',
      gateway: { name: 'press-hall', tags: {} },
      aggregates: true,
      alarms: { severity: 'info', series: '*' },
      ...change,
    } as const;
    const sink = new MqttSink(options, { clock: systemClock, logger, activeAlarms: () => [] });
    sinks.push(sink);
    return sink;
  }
  const failure = (sink: MqttSink, batch: readonly Result[] = [aggregate()]): Promise<SinkError> =>
    failureOf(sink.write(batch, signal));
  const many = (count: number) => Array.from({ length: count }, (_, i) => aggregate({ start: T0 + i }));
  const starts = () => broker.accepted.map(({ payload }) => Number(payload['start']) - T0);
  const at = (start: number, verdict: Verdict) => {
    broker.judge = ({ payload }) => (payload['start'] === T0 + start ? verdict : { acknowledge: 0 });
  };

  it.each([
    [0x80, 'unspecified error (0x80)'],
    [0x83, 'implementation specific error (0x83)'],
    [0x87, 'not authorized (0x87)'],
    [0x90, 'topic name invalid (0x90)'],
    [0x99, 'payload format invalid (0x99)'],
  ])(
    'sets aside what a broker refuses with code %i, with the reason, and its neighbours go on',
    async (code, words) => {
      at(7, { acknowledge: code });
      const batch = many(20);
      const rejections = await sinkOf().write(batch, signal);
      const topic = 'headgate/press-hall/aggregates/press-1/temperature/minute';
      expect(rejections).toEqual([{ result: batch[7], reason: `the broker refused to publish on ${topic}: ${words}` }]);
      expect(starts()).toEqual([...Array(20).keys()].filter((i) => i !== 7));
      expect(broker.connects).toEqual([5]);
    },
  );

  it('keeps everything when the quota is exceeded', async () => {
    at(7, { acknowledge: 0x97 });
    expect(await failure(sinkOf(), many(20))).toMatchObject({
      kind: 'transient',
      message: expect.stringContaining('quota exceeded (0x97)'),
    });
  });

  it('keeps its connection when something is refused, whatever that was', async () => {
    const sink = sinkOf();
    for (const code of [0x97, 0x87, 0x90]) {
      at(0, { acknowledge: code });
      await sink.write(many(1), signal).catch(() => undefined);
    }
    expect(broker.connects).toHaveLength(1);
  });

  it('finds a broker by an address of IPv6', async () => {
    const other = await PretendedBroker.start('::1');
    try {
      expect(await sinkOf({ url: other.url }).write(many(1), signal)).toEqual([]);
    } finally {
      for (const sink of sinks.splice(0)) await sink.stop(signal);
      await other.stop();
    }
  });

  it('counts a message that nobody subscribes to as published', async () => {
    broker.judge = () => ({ acknowledge: 0x10 });
    expect(await sinkOf().write(many(3), signal)).toEqual([]);
  });

  it.each([0x81, 0x90, 0x95, 0x99])(
    'finds the message for which the broker ends the connection with code %i, and sets only that one aside',
    async (code) => {
      at(7, { disconnect: code });
      const sink = sinkOf();
      const batch = many(20);
      expect((await failure(sink, batch)).kind).toBe('transient');
      broker.accepted.length = 0;
      const rejections = await sink.write(batch, signal);
      expect(rejections.map(({ result }) => result)).toEqual([batch[7]]);
      expect(starts()).toEqual([...Array(20).keys()].filter((i) => i !== 7));
    },
  );

  it('keeps everything when the connection is cut, or ended for another reason, and publishes it over the next one', async () => {
    const sink = sinkOf();
    at(0, { disconnect: 0x8e });
    expect(await failure(sink)).toMatchObject({ message: expect.stringContaining('another client has the same') });
    expect((await failure(sink)).kind).toBe('transient');
    at(0, 'cut');
    expect((await failure(sink)).kind).toBe('transient');
    broker.judge = () => ({ acknowledge: 0 });
    expect(await sink.write([aggregate()], signal)).toEqual([]);
    expect(broker.connects).toHaveLength(4);
  });

  it('takes nothing for published that was not acknowledged in time, and believes no later acknowledgement', async () => {
    const sink = sinkOf({ timeoutMs: 100 });
    broker.judge = () => 'silence';
    expect(await failure(sink)).toMatchObject({
      kind: 'transient',
      message: expect.stringContaining('did not answer in time'),
    });
    await eventually('the connection is closed', () => broker.connections === 0);
  });

  it('has no more under way at once than the broker allows', async () => {
    broker.welcome = () => ({ code: 0, properties: RECEIVE_MAXIMUM_3 });
    expect(await sinkOf().write(many(50), signal)).toEqual([]);
    expect(starts()).toEqual([...Array(50).keys()]);
    expect(broker.mostAtOnce).toBeLessThanOrEqual(3);
  });

  it('sends one more message for each acknowledgement, and does not wait until there are all', async () => {
    broker.welcome = () => ({ code: 0, properties: RECEIVE_MAXIMUM_3 });
    // Who waited for three would wait for ever.
    broker.holdBack = { acknowledgements: 2, until: 50 };
    expect(await sinkOf({ timeoutMs: 5_000 }).write(many(50), signal)).toEqual([]);
    expect(starts()).toEqual([...Array(50).keys()]);
  });

  it('says that a broker without QoS 1 cannot acknowledge, and publishes there with QoS 0 where it is told to', async () => {
    broker.welcome = () => ({ code: 0, properties: MAXIMUM_QOS_0 });
    expect(await failure(sinkOf())).toMatchObject({
      kind: 'configuration',
      message: expect.stringContaining('qos: 0'),
    });
    broker.judge = () => 'silence';
    expect(await sinkOf({ qos: 0 }).write(many(10), signal)).toEqual([]);
  });

  it('publishes alarms to a broker that keeps no retained messages, and says so', async () => {
    broker.welcome = () => ({ code: 0, properties: NO_RETAIN });
    expect(await sinkOf().write([alarm()], signal)).toEqual([]);
    expect(logger.lines).toContainEqual(expect.objectContaining({ level: 'warn' }));
  });

  it('goes back to MQTT 3.1.1 for a broker that knows no other, and stays with it', async () => {
    broker.welcome = (version) => ({ code: version === 5 ? 1 : 0 });
    const sink = sinkOf();
    expect(await sink.write([aggregate()], signal)).toEqual([]);
    at(0, 'cut');
    await failure(sink);
    await failure(sink);
    expect(broker.connects).toEqual([5, 4, 4]);
  });

  it('tries MQTT 3.1.1 where the broker hangs up without a word, and MQTT 5 again the next time', async () => {
    broker.welcome = (version) => (version === 5 ? 'close' : { code: 0 });
    const sink = sinkOf();
    expect(await sink.write([aggregate()], signal)).toEqual([]);
    at(0, 'cut');
    await failure(sink);
    broker.welcome = () => 'close';
    expect(await failure(sink)).toMatchObject({
      kind: 'transient',
      message: expect.stringContaining('without an answer'),
    });
    expect(broker.connects).toEqual([5, 4, 5, 4]);
  });

  it.each([
    [0x86, 'configuration', 'wrong user or password (0x86)'],
    [0x87, 'configuration', 'not authorized (0x87)'],
    [0x8a, 'configuration', 'banned (0x8a)'],
    [0x88, 'transient', 'server unavailable (0x88)'],
    [0x89, 'transient', 'server busy (0x89)'],
    [0x9f, 'transient', 'connection rate exceeded (0x9f)'],
  ])('tells of a broker that refuses the connection with code %i: %s', async (code, kind, words) => {
    broker.welcome = () => ({ code });
    expect(await failure(sinkOf())).toMatchObject({ kind, message: expect.stringContaining(words) });
    await eventually('no connection is left', () => broker.connections === 0);
  });

  it('ends a write when its signal aborts, and leaves no connection behind when it is stopped', async () => {
    broker.judge = () => 'silence';
    const sink = sinkOf();
    const aborter = new AbortController();
    const writing = sink.write([aggregate()], aborter.signal);
    await eventually('it is connected', () => broker.connections === 1);
    aborter.abort();
    await expect(writing).rejects.toBeInstanceOf(SinkError);
    broker.judge = () => ({ acknowledge: 0 });
    await sink.write([aggregate()], signal);
    await sink.stop(signal);
    await eventually('the connection is closed', () => broker.connections === 0);
  });

  it.each(['http://x', 'mqtt://', 'broker', 'mqtt://user@x', 'mqtt://user:canary@x'])(
    'refuses to be made with the address %s, and does not repeat a password',
    (url) => {
      expect(() => sinkOf({ url })).toThrow(GatewayError);
      expect(() => sinkOf({ url })).not.toThrow(/canary/);
    },
  );
});
