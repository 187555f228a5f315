import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type PlayedMessage, playCsv } from '../../simulators/csv-player.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { TestBroker } from './broker.ts';

let folder: string;
let file: string;
let broker: TestBroker;
beforeEach(async () => {
  folder = await temporaryFolder();
  file = join(folder, 'valve.csv');
  broker = new TestBroker();
  await broker.start();
});
afterEach(() => broker.kill());

const START = Date.UTC(2020, 2, 9, 10);

/** A file of `rows` seconds with two columns: the row's number, and its half. */
async function writeRows(rows: number): Promise<void> {
  let text = 'timestamp,flow,current\n';
  for (let i = 0; i < rows; i++) text += `${new Date(START + i * 1000).toISOString()},${i},${i / 2}\n`;
  await writeFile(file, text);
}

test('every value arrives in order, with the time of its row', async () => {
  await writeRows(3);
  const counts = await playCsv({ file, url: broker.url }, AbortSignal.timeout(10_000));
  expect(broker.received.map(({ topic, payload }) => `${topic} ${payload}`)).toEqual(
    [0, 1, 2].flatMap((i) => [
      `sensors/valve/flow {"value":${i},"ts":${START + i * 1000}}`,
      `sensors/valve/current {"value":${i / 2},"ts":${START + i * 1000}}`,
    ]),
  );
  expect(counts).toEqual({ sent: 6, acknowledged: 6, resent: 0, empty: 0 });
});

test('topic, device and columns are as asked for; characters with a meaning in MQTT are replaced', async () => {
  await writeRows(1);
  const options = { topic: 'a/{metric}/{device}', device: 'v/1#', columns: { flow: 'f+' } };
  await playCsv({ file, url: broker.url, ...options }, AbortSignal.timeout(10_000));
  expect(broker.received.map((message) => message.topic)).toEqual(['a/f_/v_1_']);
});

test('a broker that dies twice on the way loses nothing: what it had not acknowledged comes again, in order', async () => {
  await writeRows(2_000);
  let deaths = 0;
  broker.onPublish = () => {
    if (broker.received.length === 500 * (deaths + 1) + 7 && deaths < 2) {
      deaths++;
      void broker.kill().then(() => broker.start());
    }
  };
  const ledger: PlayedMessage[] = [];
  const counts = await playCsv(
    { file, url: broker.url, inFlight: 50, onAcknowledged: (message) => ledger.push(message) },
    AbortSignal.timeout(20_000),
  );
  expect(deaths).toBe(2);
  expect(counts).toMatchObject({ sent: 4_000, acknowledged: 4_000 });
  expect(counts.resent).toBeGreaterThan(0);
  expect(counts.resent).toBeLessThanOrEqual(100);
  expect(ledger).toHaveLength(4_000);
  const distinct = [...new Set(broker.received.map(({ topic, payload }) => `${topic} ${payload}`))];
  expect(distinct).toHaveLength(4_000);
  // with what was sent twice left out, the order is the file's
  expect(distinct.filter((line) => line.includes('flow')).map((line) => JSON.parse(line.split(' ')[1]!).value)).toEqual(
    Array.from({ length: 2_000 }, (_, i) => i),
  );
});

test('a speed keeps the distances of the file', async () => {
  await writeRows(5);
  const start = performance.now();
  await playCsv({ file, url: broker.url, speed: 20 }, AbortSignal.timeout(10_000));
  expect(performance.now() - start).toBeGreaterThan(195);
});

test('an abort ends it, with a broker that is not there too', async () => {
  await writeRows(5);
  await broker.kill();
  const counts = await playCsv({ file, url: broker.url }, AbortSignal.timeout(300));
  expect(counts).toMatchObject({ sent: 0, acknowledged: 0 });
});
