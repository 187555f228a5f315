import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { headgate } from './headgate.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
const COMMANDS = ['run', 'demo', 'init', 'check', 'replay', 'detect', 'simulate', 'explain', 'log'];

test('--version says the version of package.json', async () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  expect(await headgate(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

test('--help names every command, on the standard output', async () => {
  const { code, stdout, stderr } = await headgate(['--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^ {2}${command}\\b`, 'm'));
});

test.each([
  { args: [], says: /Usage: headgate/ },
  { args: ['rnu'], says: /unknown command 'rnu'[\s\S]*run/ },
  { args: ['run'], says: /--config/ },
  { args: ['check'], says: /missing required argument/ },
  { args: ['check', 'a', 'b'], says: /too many arguments/ },
  { args: ['detect', 'a.csv', '--bogus'], says: /unknown option '--bogus'/ },
  { args: ['simulate', 'devices', '--period', 'x'], says: /whole number/ },
  { args: ['simulate', 'csv', 'a.csv', '--via', 'pigeon'], says: /mqtt, opcua/ },
  { args: ['explain', 'a/b'], says: /missing required argument 'time'/ },
  { args: ['log'], says: /Usage: headgate log/ },
])('a wrong command line is told, exit 2: $args', async ({ args, says }) => {
  const { code, stdout, stderr } = await headgate(args);
  expect(stderr).toMatch(says);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
});

test('however it is started, what was freed goes back to the box', () => {
  const setting = 'MALLOC_MMAP_THRESHOLD_=131072';
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  expect(scripts['start']).toMatch(`${setting} node `);
  expect(scripts['headgate']).toMatch(`${setting} node `);
  expect(readFileSync(join(ROOT, 'gateway', 'headgate.js'), 'utf8')).toMatch(`#!/usr/bin/env -S ${setting} node `);
  expect(readFileSync(join(ROOT, 'config', 'systemd', 'headgate.service'), 'utf8')).toMatch(`Environment=${setting}\n`);
  // An image starts the entry itself, through its first line.
  expect(readFileSync(join(ROOT, 'Dockerfile'), 'utf8')).toMatch(/^CMD \["headgate", "run"/m);
});

test('the entry runs by itself, as its first line says', async () => {
  const { stdout } = await promisify(execFile)(join(ROOT, 'gateway', 'headgate.js'), ['--version']);
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});
