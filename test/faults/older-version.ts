import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { storedIn, withInflux } from './influx-scene.ts';
import { balance, describeBalance, isExact } from './oracle.ts';
import type { PublisherReport } from './publisher.ts';
import type { Rig } from './rig.ts';

const run = promisify(execFile);
/**
 * The data of a gateway of the first format of everything (log version 1, checkpoint version 1, history version 1), killed under load with
 * InfluxDB away, and the publisher's ledger of that moment.
 */
const WRITTEN = join(import.meta.dirname, 'older', 'first-format.tar.gz');

export const olderVersion: Rig = {
  id: 'F34',
  claim: 'buffer, checkpoint and history of an older version are read, and nothing in them is lost',
  goal: '0 lost',
  run: (round) =>
    withInflux(round, {}, async ({ scene, influxd }) => {
      const folder = join(scene.folder, 'older');
      await mkdir(folder);
      await run('tar', ['-xzf', WRITTEN, '-C', folder]);
      await run('mv', [join(folder, 'data'), scene.dataPath]);
      const report = JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')) as PublisherReport;
      await scene.gateway.start();
      const whole = await scene.publish({ resume: report.devices, count: 0 }).finished();
      const inHistory = await balance(scene.gateway, whole);
      const inInflux = await balance(scene.gateway, whole, { stored: storedIn(influxd) });
      return {
        measured: `log, checkpoint and history of version 1: ${describeBalance(inHistory)} in the history; ${describeBalance(inInflux)} in InfluxDB`,
        holds: isExact(inHistory) && isExact(inInflux),
      };
    }),
};
