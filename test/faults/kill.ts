import { systemClock } from '../../gateway/base/system-clock.ts';
import { CountingSink } from './counting-sink.ts';
import { type Balance, balance, describeBalance, isExact, sumOf } from './oracle.ts';
import type { Rig, Round } from './rig.ts';
import { inScene } from './scene.ts';

/** Results in one batch at the most, by default. */
const BATCH = 5_000;
/** Kills of one data folder; then a new one is begun, so that a failure is found near its cause. */
const KILLS_OF_A_FOLDER = 50;
/** One kill in so many comes while the gateway is still starting. */
const AT_START = 5;
const ACCEPTING_WITHIN_MS = 2_000;

interface Killed {
  readonly balance: Balance;
  /** From each kill to the first acknowledgement after it, in milliseconds. */
  readonly acceptingMs: readonly number[];
  /** The most results that were delivered again after one kill. */
  readonly mostRepeated: number;
}

export const kill: Rig = {
  id: 'F1',
  claim: 'what was acknowledged is stored exactly once, at whatever moments the process is killed',
  goal: '0 lost; accepting again ≤ 2 s; ≤ 1 batch a kill twice',
  async run(round) {
    const kills = round.times(50, 1_000);
    const all: Killed[] = [];
    for (let done = 0; done < kills; done += KILLS_OF_A_FOLDER) {
      all.push(await killRepeatedly(round, Math.min(KILLS_OF_A_FOLDER, kills - done)));
      round.note(`${done + KILLS_OF_A_FOLDER} kills: ${describeBalance(sumOf(all.map((part) => part.balance)))}`);
    }
    const total = sumOf(all.map((part) => part.balance));
    const acceptingMs = all.flatMap((part) => part.acceptingMs).toSorted((a, b) => a - b);
    const slowest = acceptingMs.at(-1)!;
    const median = acceptingMs[Math.floor(acceptingMs.length / 2)]!;
    const repeated = Math.max(...all.map((part) => part.mostRepeated));
    return {
      measured: `${kills} kills: ${describeBalance(total)}; accepting again after ${median.toFixed(0)} ms (median), ${slowest.toFixed(0)} ms (slowest); at most ${repeated} results a kill twice, a batch is ${BATCH}`,
      holds: isExact(total) && repeated <= BATCH,
      meetsFigures: slowest <= ACCEPTING_WITHIN_MS,
    };
  },
};

async function killRepeatedly({ random }: Round, kills: number): Promise<Killed> {
  const sink = await CountingSink.start();
  const sinks = [`{ name: counting, type: influxdb, url: "${sink.url}", gzip: false, batch: { every: 50ms } }`];
  try {
    return await inScene({ sinks }, async (scene) => {
      const { gateway } = scene;
      const publisher = scene.publish();
      gateway.launch();
      let seen = 0;
      const acceptingMs: number[] = [];
      let mostRepeated = 0;
      let killedAt = performance.now();
      for (let done = 0; done < kills; done++) {
        const isAtStart = done % AT_START === AT_START - 1;
        if (!isAtStart) {
          await publisher.acceptedAgain(seen);
          if (done > 0) acceptingMs.push(performance.now() - killedAt);
        }
        await systemClock.sleep(random.between(0, isAtStart ? 500 : 300));
        seen = publisher.accepted;
        await gateway.kill();
        mostRepeated = Math.max(mostRepeated, sink.takeRepeated());
        killedAt = performance.now();
        gateway.launch();
      }
      await publisher.acceptedAgain(seen);
      const report = await publisher.end();
      return { balance: await balance(gateway, report), acceptingMs, mostRepeated };
    });
  } finally {
    await sink.close();
  }
}
