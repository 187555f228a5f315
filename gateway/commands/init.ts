import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { starterConfiguration } from '../../config/starter.ts';
import { GatewayError, messageOf } from '../core/errors.ts';
import type { Surroundings } from './surroundings.ts';

/** `headgate init`: a commented configuration to start from, with generated secrets. */
export function initCommand(surroundings: Surroundings): Command {
  return new Command('init')
    .description('write a commented starter configuration, with generated secrets')
    .argument('[folder]', 'where it is written', '.')
    .action(async (folder: string) => {
      const path = join(resolve(surroundings.workingFolder, folder), 'gateway.yaml');
      const text = starterConfiguration({ randomBytes });
      try {
        await mkdir(resolve(surroundings.workingFolder, folder), { recursive: true });
        // Secrets are in it: for the owner only. A file that is there is never overwritten.
        await writeFile(path, text, { flag: 'wx', mode: 0o600 });
      } catch (error) {
        const exists = (error as NodeJS.ErrnoException).code === 'EEXIST';
        throw new GatewayError(`Cannot write ${path}: ${exists ? 'it exists already' : messageOf(error)}`, {
          hint: exists ? 'name another folder, or move the file away' : 'name a folder that you may write to',
          cause: error,
        });
      }
      await surroundings.out(`Wrote ${path}\nLook through it, then: headgate run --config ${path}\n`);
    });
}
