import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { eventually } from '../services/eventually.ts';
import type { Rig } from './rig.ts';
import { inScene, type Scene } from './scene.ts';

export const badConfiguration: Rig = {
  id: 'F31',
  claim:
    'a configuration that is cut short or has an unknown key is told and ends the start with 1, with nothing begun',
  goal: 'told, exit 1, nothing half',
  run: (round) =>
    inScene({}, async (scene) => {
      const { configFile } = scene.gateway;
      const whole = await readFile(configFile, 'utf8');
      const lines = whole.split('\n');
      const times = round.times(6, 60);
      const wrong: string[] = [];
      let refused = 0;
      for (let i = 0; i < times; i++) {
        const isCut = i % 2 === 0;
        // The head alone is a configuration that listens nowhere; what is cut lies behind it.
        const at = Math.floor(round.random.between(whole.indexOf('sources:') + 8, whole.length - 20));
        const line = Math.floor(round.random.between(1, lines.length - 1));
        const text = isCut ? whole.slice(0, at) : lines.toSpliced(line, 0, 'nonsense: 1').join('\n');
        await writeFile(configFile, text);
        const outcome = await outcomeOf(scene);
        if (outcome === 'runs') {
          // A file that is cut between two options may be whole again.
          if (!isCut) wrong.push(`runs with an unknown key before line ${line + 1}`);
        } else if (outcome.code === 1 && outcome.said.includes('gateway.yaml') && !existsSync(scene.dataPath))
          refused++;
        else wrong.push(`exit ${outcome.code}, data ${existsSync(scene.dataPath)}: ${outcome.said.slice(0, 200)}`);
        if (wrong.length > 0) break;
      }
      return {
        measured: `${times} files, ${refused} refused with 1 and a message; ${wrong.length === 0 ? 'nothing begun' : wrong.join('; ')}; the running gateway reads none anew: there is no reload`,
        holds: wrong.length === 0 && refused >= times / 2,
      };
    }),
};

async function outcomeOf({
  gateway,
  dataPath,
}: Scene): Promise<'runs' | { readonly code: number | null; readonly said: string }> {
  gateway.output = '';
  gateway.launch();
  await eventually(
    'it has started or given up',
    () => !gateway.isRunning || gateway.output.includes('gateway is ready'),
  );
  if (!gateway.isRunning) return { code: await gateway.stop(), said: gateway.output };
  await gateway.kill();
  await rm(dataPath, { recursive: true, force: true });
  return 'runs';
}
