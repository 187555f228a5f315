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

/** What the files that they name would say: certificates, a table, and a secret. */
export function readNamedFile(path: string): string {
  if (path.endsWith('/secrets/webhook')) return `whsec_${'A'.repeat(32)}`;
  return path.endsWith('.csv') ? 'device,rated,hall\npress-1,5,A\n' : '-----BEGIN -----';
}
