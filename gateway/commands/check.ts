import { Command } from 'commander';
import { loadFile } from './configuration-file.ts';
import { count } from './count.ts';
import type { Surroundings } from './surroundings.ts';

/** Nothing where there is none. */
function countOfAny(number: number, noun: string): readonly string[] {
  return number === 0 ? [] : [count(number, noun)];
}

/** `headgate check`: every error of a configuration at once. */
export function checkCommand(surroundings: Surroundings): Command {
  return new Command('check')
    .description('check a configuration: every error at once, with line and column')
    .argument('<file>', 'the configuration')
    .action(async (file: string) => {
      const { configuration, fileName } = await loadFile(file, surroundings);
      const { sources, tables, derive, join, windows, rollups, reduce, detect, together, maintenance } = configuration;
      const counts = [
        count(sources.length, 'source'),
        ...countOfAny(tables.length, 'table'),
        ...countOfAny(derive.length, 'derivation'),
        ...countOfAny(join.length, 'join'),
        count(windows.length, 'window'),
        ...countOfAny(rollups.length, 'rollup'),
        ...countOfAny(reduce.length, 'reduction rule'),
        count(detect.length + together.length, 'detection rule'),
        ...countOfAny(maintenance.length, 'maintenance plan'),
        count(configuration.sinks.length, 'sink'),
      ];
      await surroundings.out(`${fileName} is right: ${counts.join(', ')}\n`);
    });
}
