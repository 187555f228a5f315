import { requireProgram } from '../services/require-program.ts';
import { Skipped } from './rig.ts';

/** Where a program is that a rig needs. @throws {Skipped} where the machine has none */
export function neededProgram(name: string): string {
  const program = requireProgram(name);
  if (program === undefined) throw new Skipped(`${name} is not installed`);
  return program;
}
