import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../gateway/base/system-clock.ts';
import { MqttSink, type MqttSinkOptions } from '../../gateway/sinks/mqtt/mqtt.ts';
import { aggregate } from '../gateway/sinks/results.ts';
import { recordingLogger } from '../recording-logger.ts';
import { Mosquitto } from './mosquitto.ts';
import { requireProgram } from './require-program.ts';

const program = requireProgram('mosquitto');
const openssl = requireProgram('openssl');
const signal = new AbortController().signal;
const ending: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

async function brokerWith(settings: readonly string[]): Promise<Mosquitto> {
  const mosquitto = await Mosquitto.create(program!, ['allow_anonymous true', ...settings]);
  ending.push(() => mosquitto.remove());
  return mosquitto;
}

function sinkOf(url: string, tls: MqttSinkOptions['tls'] = {}): MqttSink {
  const alarms = { severity: 'info', series: '*' } as const;
  const gateway = { name: 'hall', tags: {} };
  const options = { name: 'a', url, clientId: 'hall', prefix: 'headgate', gateway, aggregates: true, alarms, tls };
  const parts = { clock: systemClock, logger: recordingLogger(), activeAlarms: () => [] };
  const sink = new MqttSink(options, parts);
  ending.push(() => sink.stop(signal));
  return sink;
}

/** A certificate that signs itself, and its key: the paths of both files. */
function certificate(folder: string, name: string): { readonly cert: string; readonly key: string } {
  const [cert, key] = [join(folder, `${name}.pem`), join(folder, `${name}-key.pem`)];
  const words = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-subj', `/CN=${name}`, '-days', '2'];
  const files = ['-addext', 'subjectAltName=IP:127.0.0.1', '-out', cert, '-keyout', key];
  execFileSync(openssl!, ['req', '-x509', '-nodes', ...words, ...files], { stdio: 'pipe' });
  return { cert, key };
}

describe.skipIf(program === undefined || openssl === undefined)('MqttSink and an encrypted mosquitto', () => {
  it('publishes only to a broker whose authority it knows, and shows its own certificate where it is wanted', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'headgate-certificates-'));
    ending.push(() => rm(folder, { recursive: true, force: true }));
    const [server, client] = [certificate(folder, 'server'), certificate(folder, 'client')];
    const read = (path: string) => readFile(path, 'utf8');
    const [ca, cert, key] = [await read(server.cert), await read(client.cert), await read(client.key)];
    const own = ['user root', `certfile ${server.cert}`, `keyfile ${server.key}`];
    const wanted = [`cafile ${client.cert}`, 'require_certificate true'];
    const { port } = await brokerWith([...own, ...wanted]);
    const url = `mqtts://127.0.0.1:${port}`;
    await expect(sinkOf(url, { cert, key }).write([aggregate()], signal)).rejects.toMatchObject({
      kind: 'configuration',
      message: expect.stringContaining('self-signed certificate'),
    });
    await expect(sinkOf(url, { ca }).write([aggregate()], signal)).rejects.toMatchObject({
      kind: 'configuration',
      message: expect.stringContaining('certificate required'),
    });
    await expect(sinkOf(`mqtt://127.0.0.1:${port}`).write([aggregate()], signal)).rejects.toMatchObject({
      kind: 'transient',
    });
    expect(await sinkOf(url, { ca, cert, key }).write([aggregate()], signal)).toEqual([]);
  });
});
