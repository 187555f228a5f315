import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * The path of a program that a test needs, or undefined, with the reason printed, where the machine does not have it.
 * With HEADGATE_REQUIRE_SERVICES=1 a missing program is an error: there nothing may be skipped.
 */
export function requireProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not in this folder: look in the next
    }
  }
  const reason = `${name} is not installed`;
  if (process.env['HEADGATE_REQUIRE_SERVICES'] === '1') throw new Error(`Cannot run the service tests: ${reason}`);
  process.stderr.write(`skipped: ${reason}\n`);
  return undefined;
}
