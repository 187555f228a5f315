import { readdirSync, readFileSync } from 'node:fs';

const folder = new URL('../../config/', import.meta.url);

/** The configuration files that come with Headgate, relative to `config/`. */
export const exampleFiles: readonly string[] = [
  'gateway.yaml',
  ...readdirSync(new URL('examples/', folder))
    .filter((name) => name.endsWith('.yaml') && name !== 'compose.yaml')
    .sort()
    .map((name) => `examples/${name}`),
];

/** The text of a file in `config/`. */
export function textOf(file: string): string {
  return readFileSync(new URL(file, folder), 'utf8');
}

/** What the files that they name would say: certificates, and a table. */
export function readNamedFile(path: string): string {
  return path.endsWith('.csv') ? 'device,rated,hall\npress-1,5,A\n' : '-----BEGIN -----';
}
