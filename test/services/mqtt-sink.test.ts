import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../gateway/base/system-clock.ts';
import type { AlarmEvent, Result } from '../../gateway/core/result.ts';
import { SinkError } from '../../gateway/core/sink.ts';
import { MqttSink, type MqttSinkOptions } from '../../gateway/sinks/mqtt/mqtt.ts';
import { type SinkRig, sinkContract } from '../contract/sink.ts';
import { hostileText } from '../gateway/sinks/influxdb/hostile-text.ts';
import { aggregate, alarm, seriesOf, T0 } from '../gateway/sinks/results.ts';
import { recordingLogger } from '../recording-logger.ts';
import { eventually } from './eventually.ts';
import { Mosquitto } from './mosquitto.ts';
import { type Heard, MqttListener, retainedBelow } from './mqtt-listener.ts';
import { requireProgram } from './require-program.ts';

const program = requireProgram('mosquitto');
const sub = requireProgram('mosquitto_sub');
const pub = requireProgram('mosquitto_pub');
const signal = new AbortController().signal;
/** With what topics care about, too. */
const hostileName = fc
  .tuple(hostileText(), fc.constantFrom('', '/', '+', '%', '%2F', '\u0085', '\uffff', '/$SYS/'))
  .map((parts) => parts.join(''));
const SEED = Number(process.env['HEADGATE_SEED'] ?? systemClock.now() % 2 ** 31);
/** As `mosquitto_passwd` makes it of the user `sinks` with the password `secret`. */
const PASSWORD_LINE =
  'sinks:$7$101$YtqgYs/C3Vq5RW01$L5miRctWXmO9SmLr21zzlVnfpfHv4B0jQNdN2xKVfQokGvttxBskSjaF2cSkWifHzf6AjFgSh++ngJprY5WgKA==';

describe.skipIf(program === undefined || sub === undefined || pub === undefined)(
  'MqttSink and a real mosquitto',
  () => {
    const programs = { sub: sub!, pub: pub! };
    let mosquitto: Mosquitto;
    let listener: MqttListener;
    let gateway = '';
    let gateways = 0;
    const sinks: MqttSink[] = [];
    let folder: string | undefined;

    beforeAll(async () => {
      mosquitto = await Mosquitto.create(program!);
    });
    afterAll(() => mosquitto.remove());
    beforeEach(async () => {
      // Retained messages of one test must not be seen by the next.
      gateway = `gateway-${++gateways}`;
      listener = await MqttListener.start(programs, mosquitto.port, `headgate/${gateway}/#`);
    });
    afterEach(async () => {
      for (const sink of sinks.splice(0)) await sink.stop(signal);
      await listener.stop();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    });

    function sinkOf(change: Partial<MqttSinkOptions> = {}, activeAlarms: readonly AlarmEvent[] = []): MqttSink {
      const sink = new MqttSink(
        {
          name: 'hall',
          url: mosquitto.url,
          clientId: `headgate-${gateway}-hall`,
          prefix: 'headgate',
          gateway: { name: gateway, tags: { hall: 'A' } },
          aggregates: true,
          alarms: { severity: 'info', series: '*' },
          ...change,
        },
        { clock: systemClock, logger: recordingLogger(), activeAlarms: () => activeAlarms },
      );
      sinks.push(sink);
      return sink;
    }
    const write = (sink: MqttSink, ...batch: Result[]) => sink.write(batch, signal);
    const topics = (heard: readonly Heard[]) => heard.map(({ topic }) => topic.replace(`headgate/${gateway}/`, ''));

    sinkContract(async (): Promise<SinkRig> => {
      const seen = async (kind: string) =>
        (await listener.caughtUp()).filter(({ topic }) => topic.startsWith(`headgate/${gateway}/${kind}/`));
      return {
        sink: sinkOf(),
        // As a subscriber does who knows ids and revisions.
        aggregates: async () => {
          const windows = new Map<string, Heard['payload']>();
          for (const { payload } of await seen('aggregates')) {
            const key = `${payload['series']}@${payload['window']}@${payload['start']}`;
            if (Number(payload['revision']) >= Number(windows.get(key)?.['revision'] ?? 0)) windows.set(key, payload);
          }
          return [...windows.values()].map(({ device, metric, window, start, fields, good }) => ({
            device,
            metric,
            window,
            start,
            fields,
            good,
          })) as unknown as Awaited<ReturnType<SinkRig['aggregates']>>;
        },
        activeAlarms: async () => {
          const last = new Map((await seen('alarms')).map(({ topic, payload }) => [topic, payload]));
          return [...last.values()].filter(({ active }) => active === true).length;
        },
        dispose: async () => undefined,
      };
    });

    it('publishes on the promised topics the words of the API, with an id, as JSON of QoS 1', async () => {
      const series = { ...seriesOf('press-1', 'temperature', { site: 'plant-7' }), unit: '°C' };
      await write(sinkOf(), aggregate({ series }), alarm({ series }));
      const [window, raised] = await listener.caughtUp();
      const start = T0;
      const id = `${gateway}/plant-7/press-1/temperature@minute@${T0}@0`;
      expect(window).toEqual({
        topic: `headgate/${gateway}/aggregates/press-1/temperature/minute`,
        retained: false,
        qos: 1,
        contentType: 'application/json',
        userProperties: `headgate-id:${id}`,
        payload: {
          id,
          gateway,
          series: 'plant-7/press-1/temperature',
          device: 'press-1',
          metric: 'temperature',
          tags: { hall: 'A', site: 'plant-7' },
          unit: '°C',
          window: 'minute',
          start,
          end: start + 60_000,
          revision: 0,
          good: 1,
          fields: { count: 60, mean: 21.5, min: 20, max: 23 },
        },
      });
      const ofAlarm = `novelty@plant-7/press-1/temperature@${T0 + 5000}`;
      expect(raised).toMatchObject({
        topic: `headgate/${gateway}/alarms/press-1/temperature`,
        userProperties: `headgate-id:${gateway}/${ofAlarm}@raised`,
        payload: {
          id: `${gateway}/${ofAlarm}@raised`,
          alarm: ofAlarm,
          active: true,
          state: 'raised',
          severity: 'warning',
          detector: 'novelty',
          score: 1.75,
          value: 31,
          time: T0 + 5000,
          raisedAt: T0 + 5000,
          message: 'expected between 20 and 23, saw 31',
        },
      });
    });

    it('has the broker keep the state of alarms, and no results of windows, for those who come later', async () => {
      const sink = sinkOf();
      await write(sink, aggregate(), alarm(), alarm({ series: seriesOf('press-2', 'flow') }));
      await write(sink, alarm({ state: 'acknowledged', time: T0 + 7000 }));
      const kept = () => retainedBelow(sub!, mosquitto.port, `headgate/${gateway}/#`);
      const brief = async () => (await kept()).map(({ series, state, active }) => ({ series, state, active }));
      expect(await brief()).toEqual([
        { series: 'press-1/temperature', state: 'acknowledged', active: true },
        { series: 'press-2/flow', state: 'raised', active: true },
      ]);
      await write(sink, alarm({ state: 'cleared', time: T0 + 9000 }));
      expect((await brief())[0]).toEqual({ series: 'press-1/temperature', state: 'cleared', active: false });
    });

    it('has an alarm kept that is active while another one of its series is cleared, after a restart, too', async () => {
      const flat = alarm({ detector: 'flatline', raisedAt: T0 });
      const sink = sinkOf();
      await write(sink, flat, alarm());
      await write(sink, alarm({ state: 'cleared', time: T0 + 9000 }));
      const kept = async () =>
        (await retainedBelow(sub!, mosquitto.port, `headgate/${gateway}/#`)).map(({ alarm: id, active }) => [
          id,
          active,
        ]);
      expect(await kept()).toEqual([[flat.id, true]]);
      await sink.stop(signal);
      const again = sinkOf({}, [flat]);
      await write(again, alarm({ raisedAt: T0 + 20_000 }));
      await write(again, alarm({ raisedAt: T0 + 20_000, state: 'cleared', time: T0 + 30_000 }));
      expect(await kept()).toEqual([[flat.id, true]]);
      await write(again, { ...flat, state: 'cleared', time: T0 + 40_000 });
      expect(await kept()).toEqual([[flat.id, false]]);
      const ids = (await listener.caughtUp()).map(({ payload }) => payload['id']);
      expect(new Set(ids).size).toBe(ids.length - 2);
    });

    it('keeps every name one level of a topic, and tells it as it was', async () => {
      const names = ['a/b', 'a+b', '#', '+', '100 %', '%2F', 'a\0b', 'a\nb', '日本', '$SYS', 'a\ufffeb', '😀', ' '];
      const batch = names.map((name, i) => aggregate({ series: seriesOf(name, 'm'), start: T0 + i }));
      expect(await write(sinkOf(), ...batch)).toEqual([]);
      const heard = await listener.caughtUp();
      expect(heard.map(({ payload }) => payload['device'])).toEqual(names);
      expect(new Set(heard.map(({ topic }) => topic)).size).toBe(names.length);
      for (const { topic } of heard) expect(topic.split('/')).toHaveLength(6);
      expect(topics(heard).slice(0, 3)).toEqual([
        'aggregates/a%2Fb/m/minute',
        'aggregates/a%2Bb/m/minute',
        'aggregates/%23/m/minute',
      ]);
      const broken = aggregate({ series: seriesOf('a\ud800', 'm') });
      expect(await write(sinkOf(), broken, aggregate())).toMatchObject([
        { result: broken, reason: expect.stringContaining('Unicode') },
      ]);
    });

    it('publishes whatever a name or a message is, and it arrives as it was', async () => {
      process.stderr.write(`mqtt-sink: seed ${SEED}\n`);
      const texts = fc.sample(fc.tuple(hostileName, hostileName, hostileText()), { numRuns: 2_000, seed: SEED });
      const batch = texts.map(([device, metric, message], i) =>
        alarm({ series: seriesOf(`d${device}`, `m${metric}`), raisedAt: T0 + i, message }),
      );
      const rejections = await write(sinkOf(), ...batch);
      const refused = new Set(rejections.map(({ result }) => result));
      for (const { reason } of rejections) expect(reason).toContain('Unicode');
      const heard = await listener.caughtUp();
      const names = ({ series: { device, metric }, message }: AlarmEvent) => [device, metric, message];
      const sent = batch.filter((event) => !refused.has(event));
      expect(heard.map(({ payload }) => [payload['device'], payload['metric'], payload['message']])).toEqual(
        sent.map(names),
      );
      for (const { topic } of heard) expect(topic.split('/')).toHaveLength(5);
    });

    it('publishes a batch whole and in order, far more than the broker lets be under way at once', async () => {
      const batch = Array.from({ length: 2_000 }, (_, i) => aggregate({ start: T0 + i * 60_000, fields: { mean: i } }));
      expect(await write(sinkOf(), ...batch)).toEqual([]);
      const heard = await listener.caughtUp();
      expect(heard.map(({ payload }) => payload['start'])).toEqual(batch.map(({ start }) => start));
    });

    it('takes only the alarms that were chosen, and no windows where they are not wanted', () => {
      const sink = sinkOf({ aggregates: false, alarms: { severity: 'warning', series: 'press-1/*' } });
      expect(sink.stores(aggregate())).toBe(false);
      expect(sink.stores(alarm())).toBe(true);
      expect(sink.stores(alarm({ severity: 'critical' }))).toBe(true);
      expect(sink.stores(alarm({ severity: 'info' }))).toBe(false);
      expect(sink.stores(alarm({ series: seriesOf('press-2', 'temperature') }))).toBe(false);
    });

    it('keeps what the broker does not acknowledge while it is away, and publishes when it is back', async () => {
      const sink = sinkOf();
      await write(sink, aggregate());
      await listener.stop();
      await mosquitto.stop();
      await expect(write(sink, aggregate({ start: T0 + 60_000 }))).rejects.toMatchObject({
        kind: 'transient',
        message: expect.stringContaining('ECONNREFUSED'),
      });
      await mosquitto.start();
      listener = await MqttListener.start(programs, mosquitto.port, `headgate/${gateway}/#`);
      expect(await write(sink, aggregate({ start: T0 + 60_000 }))).toEqual([]);
      expect(await listener.caughtUp()).toMatchObject([{ payload: { start: T0 + 60_000 } }]);
    });

    it('waits no longer than it was told for a broker that takes the connection and says nothing', async () => {
      const sockets: Socket[] = [];
      const silent: Server = createServer((socket) => sockets.push(socket.resume()));
      await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
      const { port } = silent.address() as { port: number };
      const error = await write(sinkOf({ url: `mqtt://127.0.0.1:${port}`, timeoutMs: 100 }), aggregate()).catch(
        (e) => e,
      );
      expect(error).toBeInstanceOf(SinkError);
      expect(error).toMatchObject({ kind: 'transient', message: expect.stringContaining('did not answer in time') });
      await eventually('its connection is closed', () => sockets.every(({ closed }) => closed));
      silent.close();
    });

    it('says that a user or password is wrong, and that a person must act', async () => {
      const guarded = await guardedMosquitto('topic read none');
      try {
        const attempt = (change: Partial<MqttSinkOptions>) =>
          write(sinkOf({ url: guarded.url, ...change }), aggregate()).catch((error: SinkError) => error);
        const refused = { kind: 'configuration', message: expect.stringMatching(/not authorized|wrong user/) };
        expect(await attempt({})).toMatchObject(refused);
        const wrong = await attempt({ user: 'sinks', password: 'wr0ng-canary' });
        expect(wrong).toMatchObject(refused);
        expect(String(wrong)).not.toContain('canary');
      } finally {
        await guarded.remove();
      }
    });

    it('holds everything while it may publish nothing, and sets aside what it may not where other topics are allowed', async () => {
      const guarded = await guardedMosquitto('topic write headgate/+/alarms/#');
      try {
        const sink = sinkOf({ url: guarded.url, user: 'sinks', password: 'secret' });
        await expect(write(sink, aggregate())).rejects.toMatchObject({
          kind: 'configuration',
          message: expect.stringContaining('not authorized'),
        });
        const denied = aggregate();
        expect(await write(sink, alarm(), denied, alarm({ state: 'cleared' }))).toEqual([
          { result: denied, reason: expect.stringContaining('not authorized (0x87)') },
        ]);
        expect(await write(sink, denied)).toHaveLength(1);
      } finally {
        await guarded.remove();
      }
    });

    it('sets aside what is larger than the broker takes, and publishes the others', async () => {
      const small = await Mosquitto.create(program!, ['allow_anonymous true', 'max_packet_size 2000']);
      try {
        const long = alarm({ message: 'x'.repeat(3000) });
        const sink = sinkOf({ url: small.url });
        expect(await write(sink, aggregate(), long, aggregate({ start: T0 + 60_000 }))).toMatchObject([
          { result: long, reason: expect.stringContaining('takes 2000 at the most') },
        ]);
      } finally {
        await small.remove();
      }
    });

    /** A broker that lets in the user `sinks` with the password `secret`. @param rights a line of its list of rights */
    async function guardedMosquitto(rights: string): Promise<Mosquitto> {
      folder = await mkdtemp(join(tmpdir(), 'headgate-rights-'));
      await writeFile(join(folder, 'rights'), `user sinks\n${rights}\n`);
      await writeFile(join(folder, 'passwords'), `${PASSWORD_LINE}\n`);
      const files = [`acl_file ${folder}/rights`, `password_file ${folder}/passwords`];
      return Mosquitto.create(program!, ['allow_anonymous false', 'user root', ...files]);
    }
  },
);
