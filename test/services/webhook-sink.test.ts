import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../gateway/base/system-clock.ts';
import type { AlarmEvent } from '../../gateway/core/result.ts';
import { WebhookSink, type WebhookSinkOptions } from '../../gateway/sinks/webhook/webhook.ts';
import { alarm, seriesOf } from '../gateway/sinks/results.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { requireProgram } from './require-program.ts';
import { WebhookReceiver } from './webhook-receiver.ts';

const python = requireProgram('python3');
const alertmanager = requireProgram('prometheus-alertmanager');
const signal = new AbortController().signal;
const SECRET = `whsec_${Buffer.alloc(32, 'a very secret key').toString('base64')}`;
const ending: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

function sinkOf(change: Partial<WebhookSinkOptions> & Pick<WebhookSinkOptions, 'url'>): WebhookSink {
  const alarms = { severity: 'info', series: '*' } as const;
  const sink = new WebhookSink(
    { name: 'phones', gateway: { name: 'hall', tags: {} }, format: 'json', alarms, ...change },
    { clock: systemClock },
  );
  ending.push(() => sink.stop(signal));
  return sink;
}

describe.skipIf(python === undefined)('WebhookSink and a receiver in Python', () => {
  async function receiverOf(secret: string): Promise<WebhookReceiver> {
    const receiver = await WebhookReceiver.create(python!, secret);
    ending.push(() => receiver.kill());
    return receiver;
  }

  it('is believed by one who checks id, time and signature, whatever the alarm says', async () => {
    const receiver = await receiverOf(SECRET);
    const names = ['press-1', 'a/b', '日本', 'a\nb\0', '😀', '"', 'x'.repeat(1_000)];
    const batch = names.map((name) => alarm({ series: seriesOf(name, 'm'), message: `${name} is 31 °C` }));
    expect(await sinkOf({ url: receiver.url, secret: SECRET }).write(batch, signal)).toEqual([]);
    expect(receiver.received.map(({ problem }) => problem)).toEqual(names.map(() => null));
    expect(receiver.received.map(({ body }) => body.data['device'])).toEqual(names);
    expect(receiver.received[0]?.path).toBe('/hooks/headgate');
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(names.length);
  });

  it('is not believed with another secret, or with none: set aside with what the receiver says', async () => {
    const receiver = await receiverOf(SECRET);
    const other = `whsec_${Buffer.alloc(32, 'another').toString('base64')}`;
    for (const secret of [other, undefined]) {
      expect(await sinkOf({ url: receiver.url, secret }).write([alarm()], signal)).toMatchObject([
        { reason: expect.stringContaining('answered 400: no signature fits') },
      ]);
    }
  });

  it('tells everything over again that a killed receiver may not have heard, under the same ids', async () => {
    const receiver = await receiverOf(SECRET);
    const sink = sinkOf({ url: receiver.url, secret: SECRET });
    expect(await sink.write([alarm()], signal)).toEqual([]);
    await receiver.kill();
    await expect(sink.write([alarm()], signal)).rejects.toMatchObject({ kind: 'transient' });
    await receiver.start();
    expect(await sink.write([alarm()], signal)).toEqual([]);
    await eventually('both are heard', () => receiver.received.length === 2);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(1);
  });
});

describe.skipIf(alertmanager === undefined)('WebhookSink and a real Alertmanager', () => {
  /** Starts one. @returns the address of its API */
  async function startAlertmanager(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'headgate-alertmanager-'));
    ending.push(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, 'alertmanager.yml');
    await writeFile(file, 'route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n');
    const api = `127.0.0.1:${await freePort()}`;
    const words = [`--config.file=${file}`, `--storage.path=${folder}`, `--web.listen-address=${api}`];
    const child = spawn(alertmanager!, [...words, '--cluster.listen-address='], { stdio: 'ignore' });
    ending.push(async () => {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGKILL');
      await ended;
    });
    await eventually('Alertmanager is ready', async () => (await fetch(`http://${api}/-/ready`)).ok);
    return `http://${api}/api/v2/alerts`;
  }

  async function active(url: string): Promise<readonly { labels: Record<string, string>; startsAt: string }[]> {
    return (await (await fetch(url)).json()) as never;
  }

  it('has an alarm active from its raise to its end, each by itself', async () => {
    const url = await startAlertmanager();
    const sink = sinkOf({ url, format: 'alertmanager' });
    const raisedAt = Math.floor(systemClock.now()) - 60_000;
    const series = seriesOf('Presse Nr. 1', 'température', { site: 'plant 7', 'my tag': 'x' });
    const one = alarm({ raisedAt, series, severity: 'critical', message: 'is 31 °C' });
    const other = alarm({ raisedAt });
    const step = (of: AlarmEvent, state: 'cleared') => ({ ...of, state, time: raisedAt + 30_000 });
    expect(await sink.write([one, other], signal)).toEqual([]);
    const now = await eventually('both are active', async () => {
      const alerts = await active(url);
      return alerts.length === 2 ? alerts : undefined;
    });
    const found = now.find(({ labels }) => labels['severity'] === 'critical');
    expect(found?.labels).toEqual({
      alertname: 'novelty',
      detector: 'novelty',
      gateway: 'hall',
      device: 'Presse Nr. 1',
      metric: 'température',
      site: 'plant 7',
      my_tag: 'x',
      severity: 'critical',
    });
    expect(Date.parse(found!.startsAt)).toBe(raisedAt);
    expect(await sink.write([step(one, 'cleared')], signal)).toEqual([]);
    await eventually('one is active', async () => (await active(url)).length === 1);
    expect(await sink.write([step(other, 'cleared')], signal)).toEqual([]);
    await eventually('none is active', async () => (await active(url)).length === 0);
  });
});
