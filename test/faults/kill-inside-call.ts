import { requireProgram } from '../services/require-program.ts';
import { type Balance, balance, describeBalance, isExact, sumOf } from './oracle.ts';
import { type Rig, type Round, Skipped } from './rig.ts';
import { inScene } from './scene.ts';

/** The system calls that make something durable, or take it away, and how many of each are looked at in a full round: 200 together. */
const CALLS = { fdatasync: 120, rename: 50, unlink: 20, fsync: 10 } as const;
type Call = keyof typeof CALLS;
/** A process that has not come to its call by then is killed where it is. */
const PATIENCE_MS = 8_000;

export const killInsideCall: Rig = {
  id: 'F2',
  claim: 'a process that dies inside a sync, a rename or an unlink loses nothing',
  goal: '0 lost inside any of 200',
  async run(round) {
    const strace = requireProgram('strace');
    if (strace === undefined) throw new Skipped('strace is not installed');
    const balances: Balance[] = [];
    let [killed, missed] = [0, 0];
    for (const [call, last] of Object.entries(CALLS) as [Call, number][]) {
      const found = await killInsideEach(strace, call, round.times(Math.ceil(last / 15), last), round);
      balances.push(found.balance);
      killed += found.killed;
      missed += found.missed;
      round.note(
        `${call}: killed inside ${found.killed}, ${found.missed} not reached: ${describeBalance(found.balance)}`,
      );
    }
    const total = sumOf(balances);
    const unreached = missed === 0 ? '' : ` (${missed} more were not reached)`;
    return {
      measured: `killed inside ${killed} calls${unreached}: ${describeBalance(total)}`,
      holds: isExact(total) && killed > missed,
    };
  },
};

interface Killed {
  readonly balance: Balance;
  readonly killed: number;
  readonly missed: number;
}

/** Life `k` of the process ends inside its call `k`, while the publisher goes on; all lives have one folder. */
function killInsideEach(strace: string, call: Call, last: number, { random }: Round): Promise<Killed> {
  return inScene({}, async (scene) => {
    const { gateway } = scene;
    const publisher = scene.publish();
    let [killed, missed] = [0, 0];
    for (let k = 1; k <= last; k++) {
      gateway.launch({
        // -D makes the gateway, not the tracer, the process that was started. strace counts by thread: there is to be but one.
        through: [strace, '-D', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${call}`].concat(
          '-e',
          `inject=${call}:signal=KILL:when=${k}`,
        ),
        environment: { UV_THREADPOOL_SIZE: '1' },
      });
      if (await gateway.endsWithin(PATIENCE_MS + random.between(0, 200))) killed++;
      else missed++;
      await gateway.kill();
    }
    await gateway.start();
    const report = await publisher.end();
    return { balance: await balance(gateway, report), killed, missed };
  });
}
