import { cp, readdir, readFile, rename, rm, stat, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Random } from '../../simulators/random.ts';
import { balance, describeBalance } from './oracle.ts';
import type { PublisherReport } from './publisher.ts';
import type { Rig } from './rig.ts';
import { inScene, type Scene } from './scene.ts';

const READINGS = 4 * 3_000;
const WITHIN_MS = 5_000;

/** Readings lie in the journal and, when their window has ended, in the outbox: a single damage is seldom a loss. */
const DAMAGES_A_FOLDER = 4;

/** What happens to one file, or to a place in it. */
const DAMAGES = ['flip', 'zero', 'cut', 'empty', 'remove', 'swap', 'noise'] as const;

export const damage: Rig = {
  id: 'F8',
  claim: 'a real gateway starts on a damaged folder, accepts, tells of what it misses, and makes nothing up',
  goal: 'starts always; loses only what the damage touches, counted (10 000 by the simulated disk)',
  run: (round) =>
    inScene({ storage: 'journal: { maxBytes: 16 MiB }', checkpointEvery: '1s' }, async (scene) => {
      const { gateway, dataPath } = scene;
      await gateway.start();
      const publisher = scene.publish({ perSecond: 3_000, count: READINGS / 4 });
      const report = await publisher.finished();
      await gateway.kill();
      const whole = join(scene.folder, 'whole');
      await rename(dataPath, whole);
      const times = round.times(10, 100);
      const wrong: string[] = [];
      let [harmless, lossy, slowestMs] = [0, 0, 0];
      for (let i = 0; i < times; i++) {
        await cp(whole, dataPath, { recursive: true });
        // The history has what was delivered: without it the buffers have to bring everything back.
        await rm(join(dataPath, 'outbox', 'cursors'), { recursive: true, force: true });
        for (const suffix of ['', '-wal', '-shm']) await rm(join(dataPath, `history.sqlite${suffix}`), { force: true });
        const done: string[] = [];
        for (let n = 0; n < DAMAGES_A_FOLDER; n++) done.push(await damageOnce(dataPath, round.random));
        const begun = performance.now();
        await gateway.start();
        slowestMs = Math.max(slowestMs, performance.now() - begun);
        const problem = await problemAfter(scene, report);
        if (problem.wrong !== undefined) wrong.push(`${done.join(', ')}: ${problem.wrong}`);
        if (problem.lost === 0) harmless++;
        else lossy++;
        await gateway.kill();
        await rm(dataPath, { recursive: true });
        if (i % 25 === 24) round.note(`${i + 1} damaged folders, ${lossy} with a loss, ${wrong.length} wrong`);
      }
      return {
        measured: `${times} damaged folders of a killed gateway, all started within ${slowestMs.toFixed(0)} ms: ${harmless} lost nothing, ${lossy} lost what was damaged and told of it${wrong.length === 0 ? '' : `; WRONG: ${wrong.slice(0, 3).join('; ')}`}`,
        holds: wrong.length === 0,
        meetsFigures: slowestMs <= WITHIN_MS,
      };
    }),
};

/** Takes new readings, and looks at the old: what is lost must be told of, and nothing may be there that was never sent. */
async function problemAfter(
  scene: Scene,
  report: PublisherReport,
): Promise<{ readonly lost: number; readonly wrong: string | undefined }> {
  const { gateway } = scene;
  const linesBefore = gateway.output.length;
  const fresh = await scene.publish({ prefix: 'fresh', count: 100 }).finished();
  const found = await balance(gateway, fresh);
  if (found.lost + found.phantom + found.wrongWindows !== 0)
    return { lost: 0, wrong: `new readings: ${describeBalance(found)}` };
  const old = await balance(gateway, report, { mayLose: true });
  const { journal, outbox } = await gateway.status();
  const told =
    [journal, outbox].some(({ quarantined, damagedItems }) => quarantined + damagedItems > 0) ||
    /"level":"(warn|error)"/.test(gateway.output.slice(-linesBefore));
  if (old.phantom > 0) return { lost: old.lost, wrong: `${old.phantom} readings too much` };
  if (old.imbalance !== 0) return { lost: old.lost, wrong: `the ledger is off by ${old.imbalance}` };
  if (old.lost > 0 && !told) return { lost: old.lost, wrong: `${old.lost} lost, and nothing told` };
  return { lost: old.lost, wrong: undefined };
}

/** @returns what was done, in words */
async function damageOnce(dataPath: string, random: Random): Promise<string> {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random.between(0, from.length))]!;
  const files = (await readdir(dataPath, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const what = pick(DAMAGES);
  const file = pick(files);
  const { size } = await stat(file);
  const at = Math.floor(random.between(0, size));
  const length = Math.min(size - at, 1 + Math.floor(random.between(0, 5_000)));
  switch (what) {
    case 'cut':
      await truncate(file, at);
      break;
    case 'empty':
      await truncate(file, 0);
      break;
    case 'remove':
      await unlink(file);
      break;
    case 'swap':
      await swap(file, pick(files));
      break;
    default: {
      const bytes = await readFile(file);
      const noise = () => Math.floor(random.between(0, 256));
      if (what === 'flip' && size > 0) bytes[at]! ^= 1 << Math.floor(random.between(0, 8));
      else if (what === 'zero') bytes.fill(0, at, at + length);
      else for (let i = at; i < at + length; i++) bytes[i] = noise();
      await writeFile(file, bytes);
    }
  }
  return `${what} ${file.slice(dataPath.length)} at ${at} of ${size}`;
}

async function swap(a: string, b: string): Promise<void> {
  if (a === b) return;
  await rename(a, `${a}.other`);
  await rename(b, a);
  await rename(`${a}.other`, b);
}
