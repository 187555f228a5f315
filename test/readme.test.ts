// biome-ignore-all lint/suspicious/noTemplateCurlyInString: texts for people are looked at here
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatDuration } from '../config/units.ts';
import { Metrics } from '../gateway/api/metrics.ts';
import { optionKey } from '../gateway/core/detector.ts';
import { detectorKinds } from '../gateway/detect/detectors/detectors.ts';
import { configurationOf } from './config/load-text.ts';
import { groupRow } from './gateway/api/fake-rows.ts';
import { FakeView } from './gateway/api/fake-view.ts';

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const readme = read('README.md');
const documents = globSync(['*.md', '{docs,gateway,devices,config,simulators}/**/*.md'], { cwd: root });

/** What stands in fences of a language. */
const fencesOf = (text: string, language: string) =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map((match) => match[1]!);

/** Everything in a text that begins with `headgate `, up to the end of the code it stands in. */
const commandsOf = (text: string) =>
  [...text.matchAll(/(?:npx |`|^ {4})headgate ((?!\/)[a-z][^`\n|]*)/gm)].map((match) => match[1]!.trim());

const headgate = (...words: readonly string[]) =>
  execFileSync(process.execPath, [join(root, 'gateway/headgate.js'), ...words], { encoding: 'utf8' });

describe('the README', () => {
  test('shows configurations that are right', () => {
    const blocks = fencesOf(readme, 'yaml');
    expect(blocks.length).toBeGreaterThanOrEqual(3);
    const environment = { MQTT_PASSWORD: 'a', INFLUX_PASSWORD: 'b' };
    for (const block of blocks) configurationOf(block, { environment });
  });

  test('is right in what docs/outputs.md adds to it', () => {
    const environment = { HALL_PASSWORD: 'a', NTFY_TOKEN: 'b', SLACK_WEBHOOK_URL: 'https://hooks.example/x' };
    const readFile = () => `whsec_${'A'.repeat(32)}`;
    // The configuration of Home Assistant stands there, too.
    const blocks = fencesOf(read('docs/outputs.md'), 'yaml').filter((block) => block.startsWith('sinks:'));
    expect(blocks).toHaveLength(5);
    for (const block of blocks) expect(configurationOf(block, { environment, readFile }).sinks).toHaveLength(1);
  });

  test('names scripts that there are', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = [...readme.matchAll(/(?:`|&& )npm (?:run )?([a-z]+)/g)].map((match) => match[1]!);
    expect(new Set(named).size).toBeGreaterThan(2);
    expect(named.filter((name) => name !== 'ci' && scripts[name] === undefined)).toEqual([]);
  });

  test('lists exactly the commands that there are', () => {
    const offered = [...headgate('--help').matchAll(/^ {2}([a-z]+)(?: .*)?$/gm)].map((match) => match[1]!);
    const listed = [...readme.matchAll(/^\| `headgate ([a-z]+)/gm)].map((match) => match[1]!);
    expect(listed.sort()).toEqual(offered.filter((name) => name !== 'help').sort());
  });
});

test('every command in the documents is one that the command line has, with its options', () => {
  const commands = new Set(documents.flatMap((file) => commandsOf(read(file))));
  expect(commands.size).toBeGreaterThan(10);
  const helps = new Map<string, string>();
  const helpOf = (words: readonly string[]) => {
    const key = words.join(' ');
    const help = helps.get(key) ?? headgate(...words, '--help');
    helps.set(key, help);
    return help;
  };
  for (const command of commands) {
    const words = command.split(/\s+/);
    if (words[0]!.startsWith('-')) continue;
    const [parent, child] = words;
    const hasChildren = parent === 'log' || parent === 'simulate';
    // In a table further children may stand behind a comma: `headgate log ls`, `verify`, `dump`.
    const help = helpOf(hasChildren && child !== undefined && /^[a-z]+$/.test(child) ? [parent!, child] : [parent!]);
    expect(help, `headgate ${command}`).toContain(`Usage: headgate ${parent}`);
    for (const [option] of command.matchAll(/(?<= )--[a-z]+/g)) expect(help, `headgate ${command}`).toContain(option);
  }
}, 60_000);

test('every link between the documents leads to a file', () => {
  const broken = documents.flatMap((file) =>
    [...read(file).matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)]
      .map((match) => normalize(join(dirname(file), match[1]!)))
      .filter((target) => !existsSync(join(root, target)))
      .map((target) => `${file} → ${target}`),
  );
  expect(broken).toEqual([]);
});

test('every file that the documents name is there', () => {
  const named = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/*.md', { cwd: root })].flatMap((file) =>
    [...read(file).matchAll(/`((?:gateway|devices|config|simulators|docs|test)\/[\w./-]+)`/g)].map(
      (match) => match[1]!,
    ),
  );
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});

test('every metric that the documents name is served', async () => {
  const view = new FakeView();
  view.groups = [groupRow('press-1', {})];
  const api = { ready: true, streamClients: 0, slowClients: 0, upgradedSockets: 0 };
  const served = await new Metrics().render({ status: view.status(), ledger: view.ledgerReport(9), api });
  const named = new Set(documents.flatMap((file) => read(file).match(/\bheadgate_[a-z_]+[a-z]\b/g) ?? []));
  expect(named.size).toBeGreaterThan(8);
  expect([...named].filter((name) => !served.includes(`# TYPE ${name} `))).toEqual([]);
});

test('docs/detection.md names every detector, and the default of each option of those that learn', () => {
  // The formatter pads the cells of a table.
  const text = read('docs/detection.md').replace(/ +/g, ' ');
  for (const { name } of detectorKinds) expect(text).toContain(`| \`${name}\` |`);
  // What the others are told stands in the first table.
  const learning = detectorKinds.filter(({ name }) => !['range', 'rate-of-change', 'flatline'].includes(name));
  expect(learning.length).toBeGreaterThan(3);
  for (const [name, { default: value }] of learning.flatMap(({ options }) => Object.entries(options))) {
    const inFile = name.endsWith('Ms') && value !== undefined ? formatDuration(Number(value)) : (value ?? 'learnt');
    expect(text).toContain(`| \`${optionKey(name)}\` | ${inFile} |`);
  }
});
