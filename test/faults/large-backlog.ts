import { join } from 'node:path';
import { systemClock } from '../../gateway/base/system-clock.ts';
import { systemDisk } from '../../gateway/base/system-disk.ts';
import { SegmentLog } from '../../gateway/buffer/segment-log.ts';
import type { Result } from '../../gateway/core/result.ts';
import { encodeResults } from '../../gateway/runtime/result-codec.ts';
import { recordingLogger } from '../recording-logger.ts';
import { freePort } from '../services/free-port.ts';
import { T0 } from './publisher.ts';
import type { Rig } from './rig.ts';
import { inScene, type Scene } from './scene.ts';

const WITHIN_MS = 2_000;
const RESULTS_PER_RECORD = 500;

export const largeBacklog: Rig = {
  id: 'backlog',
  claim: 'a killed gateway accepts again at once, however much waits for its sinks',
  goal: 'kill to accepting again with 1 GB of backlog ≤ 2 s',
  isTimed: true,
  run: async (round) => {
    // Nobody listens there.
    const sinks = [`{ name: away, type: influxdb, url: "http://127.0.0.1:${await freePort()}", database: none }`];
    const storage = 'outbox: { maxBytes: 2 GiB, whenFull: block }';
    return inScene({ sinks, storage, checkpointEvery: '2s' }, async (scene) => {
      await fillOutbox(scene, round.isFull ? 1_000_000_000 : 100_000_000);
      const publisher = scene.publish({ perSecond: 1_000 });
      await scene.gateway.start();
      await publisher.acceptedAgain(0);
      const tookMs: number[] = [];
      for (let i = 0; i < round.times(3, 10); i++) {
        await systemClock.sleep(round.random.between(500, 2_500));
        const seen = publisher.accepted;
        const killed = performance.now();
        await scene.gateway.kill();
        scene.gateway.launch();
        await publisher.acceptedAgain(seen);
        tookMs.push(performance.now() - killed);
      }
      await scene.gateway.ready();
      const { outbox } = await scene.gateway.status();
      const slowestMs = Math.max(...tookMs);
      return {
        measured: `${tookMs.length} kills with ${(outbox.bytes / 1e6).toFixed(0)} MB of backlog: accepting after ${slowestMs.toFixed(0)} ms (slowest)`,
        holds: true,
        meetsFigures: slowestMs <= WITHIN_MS,
      };
    });
  },
};

/** Fills the outbox of a gateway that is not running, by its own code. */
async function fillOutbox({ dataPath }: Scene, bytes: number): Promise<void> {
  const { signal } = new AbortController();
  const log = new SegmentLog({
    path: join(dataPath, 'outbox'),
    disk: systemDisk,
    clock: systemClock,
    random: Math.random,
    logger: recordingLogger(),
    maxBytes: 2 ** 31,
  });
  await log.start(signal);
  for (let n = 0; log.status().bytes < bytes; n++) {
    const results = Array.from({ length: RESULTS_PER_RECORD }, (_, i) => resultOf(n * RESULTS_PER_RECORD + i));
    log.append(encodeResults(results), results.length);
    if (n % 16 === 0) await log.commit();
  }
  await log.commit();
  await log.stop(signal);
}

function resultOf(n: number): Result {
  const start = T0 + n * 1_000;
  const series = { key: 'backlog/value', device: 'backlog', metric: 'value', tags: {} };
  const fields = { count: 60, sum: n * 60, min: n - 0.5, max: n + 0.5 };
  return { kind: 'aggregate', series, window: 's', start, end: start + 1_000, revision: 0, good: 1, fields };
}
