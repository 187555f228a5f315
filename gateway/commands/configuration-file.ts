import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Configuration } from '../../config/configuration.ts';
import { formatProblems, loadConfiguration } from '../../config/load.ts';
import { vocabulary } from '../catalog/vocabulary.ts';
import { GatewayError, messageOf } from '../core/errors.ts';
import { ExitCode, type Surroundings } from './surroundings.ts';

/** A configuration file that has been read and found right. */
export interface LoadedFile {
  readonly configuration: Configuration;
  readonly text: string;
  /** Absolute. */
  readonly fileName: string;
}

/**
 * Reads a configuration file. Everything that is wrong with it is told at once, each with line and column.
 *
 * @throws GatewayError when the file cannot be read
 * @throws ExitCode 1 when it is wrong: the problems have been told
 */
export async function loadFile(path: string, surroundings: Surroundings): Promise<LoadedFile> {
  const fileName = resolve(surroundings.workingFolder, path);
  const text = await readFile(fileName, 'utf8').catch((error: unknown) => {
    throw new GatewayError(`Cannot read configuration ${path}: ${messageOf(error)}`, {
      hint: "'headgate init' writes a starter configuration",
      cause: error,
    });
  });
  return { ...loadText(text, fileName, surroundings), text, fileName };
}

/** The same for a text; relative paths in it are relative to the folder of `fileName`. */
export function loadText(text: string, fileName: string, surroundings: Surroundings): { configuration: Configuration } {
  const loaded = loadConfiguration(text, {
    fileName,
    environment: surroundings.environment,
    readFile: (path) => readFileSync(path, 'utf8'),
    vocabulary,
  });
  if ('configuration' in loaded) return loaded;
  surroundings.err(`${formatProblems(loaded.problems, fileName, text)}\n`);
  throw new ExitCode(1);
}
