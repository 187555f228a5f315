/**
 * `npm run faults`: makes every real fault against the real process and prints the table of what is promised, what was measured, and
 * whether it holds. Ends with 1 where something does not.
 *
 *     npm run faults -- [--rounds short|full] [--most N] [--seed N] [F1 F3 …]
 *
 * `short` is what the tests do and takes minutes; `full` makes the figures and takes an hour or two; with `--most N` no fault is made more
 * often than that. Each rig's row is printed when it is through, so a run that was interrupted has told what it found.
 */
import { parseArgs } from 'node:util';
import { messageOf } from '../../gateway/core/errors.ts';
import { type Rig, Round, Skipped } from './rig.ts';
import { rigs } from './rigs.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: 'short' },
    most: { type: 'string', default: 'Infinity' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
});
const seed = Number(values.seed);
const most = Number(values.most);
const chosen = positionals.length === 0 ? rigs : rigs.filter(({ id }) => positionals.includes(id));
const unknown = positionals.filter((id) => !rigs.some((rig) => rig.id === id));
if (!['short', 'full'].includes(values.rounds) || !Number.isSafeInteger(seed) || !(most > 0) || unknown.length > 0) {
  const known = rigs.map(({ id }) => id).join(' ');
  process.stderr.write(
    `usage: npm run faults -- [--rounds short|full] [--most N] [--seed N] [RIG …]\nrigs: ${known}\n`,
  );
  process.exit(2);
}

interface Row {
  readonly rig: Rig;
  readonly measured: string;
  readonly verdict: 'holds' | 'missed' | 'BROKEN' | 'skipped';
}

print(`node ${process.version}, seed ${seed}, ${values.rounds} rounds, at most ${most} times\n`);
const rows: Row[] = [];
for (const rig of chosen) {
  print(`${rig.id}: ${rig.claim}`);
  const begun = performance.now();
  const row = await rowOf(rig);
  rows.push(row);
  print(`  ${row.verdict} after ${((performance.now() - begun) / 1000).toFixed(0)} s: ${row.measured}`);
}
print('\n| | goal | measured | verdict |\n|---|---|---|---|');
for (const { rig, measured, verdict } of rows) print(`| ${rig.id} | ${rig.goal} | ${measured} | ${verdict} |`);
process.exit(rows.every(({ verdict }) => verdict === 'holds' || verdict === 'skipped') ? 0 : 1);

async function rowOf(rig: Rig): Promise<Row> {
  const round = new Round(values.rounds === 'full', seed, (text) => print(`  ${text}`), most);
  try {
    const { measured, holds, meetsFigures = true } = await rig.run(round);
    return { rig, measured, verdict: !holds ? 'BROKEN' : meetsFigures ? 'holds' : 'missed' };
  } catch (error) {
    if (error instanceof Skipped) return { rig, measured: error.message, verdict: 'skipped' };
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    return { rig, measured: messageOf(error).split('\n')[0]!, verdict: 'BROKEN' };
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
