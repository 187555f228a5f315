import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { loadConfiguration } from '../../../config/load.ts';
import { systemClock } from '../../../gateway/base/system-clock.ts';
import { sourceFactories } from '../../../gateway/catalog/sources.ts';
import { vocabulary } from '../../../gateway/catalog/vocabulary.ts';
import type { Source } from '../../../gateway/core/source.ts';
import { publishFrame, RawClient } from '../../devices/mqtt/raw-client.ts';
import { RecordingIntake } from '../../devices/recording-intake.ts';
import { recordingLogger } from '../../recording-logger.ts';
import { freePort } from '../../services/free-port.ts';
import { requireProgram } from '../../services/require-program.ts';

const never = new AbortController().signal;
const cleanUps: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** The one source of a configuration that lies in `folder`, started. */
async function startedSource(folder: string, text: string): Promise<{ source: Source; intake: RecordingIntake }> {
  const loaded = loadConfiguration(text, {
    fileName: join(folder, 'gateway.yaml'),
    environment: {},
    readFile: (path) => readFileSync(path, 'utf8'),
    vocabulary,
  });
  if ('problems' in loaded) throw new Error(loaded.problems.map(({ message }) => message).join('\n'));
  const parts = { clock: systemClock, logger: recordingLogger() };
  const [factory] = await sourceFactories(loaded.configuration, parts);
  const intake = new RecordingIntake();
  const source = factory!.make(intake);
  cleanUps.push(() => source.stop(never));
  await source.start(never);
  return { source, intake };
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-sources-'));
  cleanUps.push(() => rmSync(folder, { recursive: true }));
  return folder;
}

const brokerWith = (port: number, tlsPort: number) => `
gateway: { name: hall }
storage: { path: data }
sources:
  - name: floor
    type: mqtt
    listen: 127.0.0.1:${port}
    tls: { cert: cert.pem, key: key.pem, listen: 127.0.0.1:${tlsPort} }
    readings: [{ topic: sensors/_/+, template: _/device/metric }]
`;

const openssl = requireProgram('openssl');

/** A certificate for localhost that nobody else has signed, and its key. */
function makeCertificate(folder: string): void {
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '1'];
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  execFileSync(openssl!, ['req', '-x509', '-nodes', ...curve, ...subject, ...files], { stdio: 'pipe' });
}

describe.skipIf(openssl === undefined)('a broker with TLS', () => {
  test('shows the certificate that the configuration names, and takes readings over it', async () => {
    const folder = temporaryFolder();
    makeCertificate(folder);
    const tlsPort = await freePort();
    const { source, intake } = await startedSource(folder, brokerWith(await freePort(), tlsPort));
    expect(source.status().detail).toContain(`with TLS on port ${tlsPort}`);

    const ca = readFileSync(join(folder, 'cert.pem'));
    const socket = connect({ host: '127.0.0.1', port: tlsPort, servername: 'localhost', ca });
    cleanUps.push(() => void socket.destroy());
    const client = await RawClient.connect(socket, { id: 'sensor' });
    expect(socket.authorized).toBe(true);
    client.send(publishFrame({ topic: 'sensors/press-1/oil', payload: '{"value":46.5}', qos: 1, id: 7 }));
    expect([...(await client.frame())!]).toEqual([0x40, 2, 0, 7]);
    expect(intake.summary()).toEqual(['press-1/oil=46.5']);
  });

  test('does not start with a key that belongs to another certificate, and says so without the key', async () => {
    const [folder, other] = [temporaryFolder(), temporaryFolder()];
    makeCertificate(folder);
    makeCertificate(other);
    const key = readFileSync(join(other, 'key.pem'), 'utf8');
    writeFileSync(join(folder, 'key.pem'), key);
    const started = startedSource(folder, brokerWith(await freePort(), await freePort()));
    const error = await started.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({
      message: expect.stringContaining('Cannot use the TLS certificate or key for 127.0.0.1:'),
      hint: expect.stringContaining('belongs to the first certificate'),
    });
    expect(String(error)).not.toContain(key.split('\n')[1]);
  });
});
