// biome-ignore-all lint/suspicious/noTemplateCurlyInString: texts of code are looked at here
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { forbiddenImport, homeOf } from './house/floors.ts';
import { filesOfTheTree, places, read, type Source, sourceOf, sourcesOfTheTree } from './house/tree.ts';
import { saidTwice, undocumented } from './house/undocumented.ts';

const files = filesOfTheTree();
const sources = sourcesOfTheTree();
const product = sources.filter(({ file }) => /^(gateway|devices|config)\//.test(file));
const ours = sources.filter(({ file }) => !file.startsWith('test/house'));

const TEXT_FILE =
  /\.([cm]?[jt]s|json|ya?ml|md|html|css|service|conf|toml)$|(^|\/)(\.npmrc|\.ci\/.*|Dockerfile|LICENSE)$/;

/** The lines of a file that are meant: `file:line  the line`. */
function linesThat(file: string, meant: (line: string) => boolean): readonly string[] {
  return read(file)
    .split('\n')
    .flatMap((line, index) => (meant(line) ? [`${file}:${index + 1}  ${line.trim().slice(0, 120)}`] : []));
}

/** Fails with the list of offenders; `instead` says what to write. */
function expectNone(offenders: readonly string[], instead: string): void {
  expect(offenders.length === 0 ? '' : `${instead}\n  ${offenders.join('\n  ')}\n`).toBe('');
}

describe('floors', () => {
  test('every source file has a home', () => {
    const homeless = sources.map(({ file }) => file).filter((file) => homeOf(file) === undefined);
    expectNone(homeless, 'Put each file into a room of the plan (CONTRIBUTING.md):');
  });

  test('imports go down only, and rooms do not know each other', () => {
    const wrong = sources.flatMap(({ file, imports }) =>
      imports.flatMap((target) => {
        const why = forbiddenImport(file, target);
        return why === undefined ? [] : [`${file} imports ${target}: ${why}`];
      }),
    );
    expectNone(wrong, 'Turn these imports round:');
  });

  test('each command is a file of gateway/commands that main.ts loads when it is asked for', () => {
    const main = sources.find(({ file }) => file === 'gateway/main.ts')!;
    const commands = sources.filter(
      ({ file, text }) => file.startsWith('gateway/commands/') && /^export function \w+Command\(/m.test(text),
    );
    const expected = commands.map(({ file }) => basename(file, '.ts')).sort();
    const known = [...main.text.matchAll(/^ {2}(\w+): async \(\) => \(await import\('\.\/commands\/\1\.ts'\)\)/gm)];
    expect(known.map(([, name]) => name).sort()).toEqual(expected);
  });

  test('the page runs in a browser: of the gateway it knows types only', () => {
    const page = sources.filter(({ file }) => file.startsWith('gateway/api/ui/'));
    const wrong = page.flatMap(({ file, runtimeImports }) =>
      runtimeImports
        .filter((target) => !target.startsWith('gateway/api/ui/'))
        .map((target) => `${file} imports ${target}`),
    );
    expectNone(wrong, 'Send what the page needs over the API, or import its type only:');
  });
});

describe('nothing ambient', () => {
  const browser = /^gateway\/api\/ui\//;
  const beside = /^(simulators|test|bench)\//;
  test.each([
    {
      what: 'the time',
      pattern: /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bprocess\.(hrtime|uptime)\b/,
      allowed: [/^gateway\/base\/system-clock\.ts$/, browser, beside],
      instead: 'Take a Clock (gateway/core/clock.ts) as an argument:',
    },
    {
      what: 'randomness',
      pattern: /\bMath\.random\b|\brandomUUID\b|\brandomBytes\b|\bgetRandomValues\b|\brandomInt\b/,
      allowed: [
        /^gateway\/base\/backoff\.ts$/,
        /^gateway\/main\.ts$/,
        /^gateway\/commands\/init\.ts$/,
        // It is handed the bytes.
        /^config\/starter\.ts$/,
        beside,
      ],
      instead: 'Take `random: () => number` as an argument:',
    },
    {
      what: 'the environment and the arguments',
      pattern: /\bprocess\.(env|argv|cwd)\b/,
      allowed: [/^gateway\/main\.ts$/, beside],
      instead: 'Only gateway/main.ts reads them; take what you need as an argument:',
    },
    {
      what: 'the end of the process',
      pattern: /\bprocess\.(exit|exitCode|abort|kill)\b/,
      allowed: [/^gateway\/(main\.ts|headgate\.js)$/, beside],
      instead: 'Throw, or return; only gateway/main.ts ends the process:',
    },
    {
      what: 'the console',
      pattern: /\bconsole\.\w+\(|\bprocess\.(stdout|stderr)\b/,
      allowed: [/^gateway\/(main\.ts|headgate\.js)$/, beside],
      instead: 'Take a Logger (gateway/core/telemetry.ts), or Surroundings in a command:',
    },
  ])('$what comes from outside', ({ pattern, allowed, instead }) => {
    const offenders = sources
      .filter(({ file }) => !allowed.some((place) => place.test(file)))
      .flatMap((source) => places(source, pattern));
    expectNone(offenders, instead);
  });
});

/** The files that are imported, directly or through others, and the ones one begins with. */
function reachable(entries: readonly Source[]): ReadonlySet<string> {
  const byFile = new Map(sources.map((source) => [source.file, source]));
  const seen = new Set<string>();
  const visit = ({ file, imports }: Source) => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const target of imports) {
      const next = byFile.get(target);
      if (next !== undefined) visit(next);
    }
  };
  for (const entry of entries) visit(entry);
  return seen;
}

describe('no dead file', () => {
  const ENTRIES = [
    /^gateway\/(headgate\.js|main\.ts)$/,
    /^config\/generate-schema\.ts$/,
    /^bench\/[^/]+\.ts$/,
    /^test\/faults\/run\.ts$/,
    /^vitest\.config\.ts$/,
    /\.test\.ts$/,
    // A thread is begun by its URL.
    /^gateway\/commands\/replay\/thread\.ts$/,
    // The page's first module is named by its HTML.
    /^gateway\/api\/ui\/app\.ts$/,
  ];

  test('every source file is used by the product, or, below test/, by a test', () => {
    const isEntry = ({ file }: Source) => ENTRIES.some((entry) => entry.test(file));
    const product = reachable(sources.filter((source) => isEntry(source) && !source.file.startsWith('test/')));
    const all = reachable(sources.filter(isEntry));
    const dead = sources
      .map(({ file }) => file)
      .filter((file) => !product.has(file) && !(/^(test|simulators)\//.test(file) && all.has(file)));
    expectNone(dead, 'Use these, or remove them; code that only a test uses belongs below test/:');
  });

  test('every file of the page is served, and asked for', () => {
    const page = files.filter((file) => file.startsWith('gateway/api/ui/'));
    const texts = sources.filter(({ file }) => file.startsWith('gateway/api/')).map(({ text }) => text);
    const html = page.filter((file) => file.endsWith('.html')).map(read);
    const dead = page.filter((file) => ![...texts, ...html].some((text) => text.includes(basename(file))));
    expectNone(dead, 'Serve these from gateway/api/page-files.ts, or remove them:');
  });
});

describe('names', () => {
  test('say what is in a file', () => {
    const vague =
      /(^|\/)(utils?|common|helpers?|misc|managers?|shared|lib)(\/|\.[jt]s$)|(manager|helper|utils)\.[jt]s$/;
    expectNone(
      sources.map(({ file }) => file).filter((file) => vague.test(file)),
      'Name these after their one purpose:',
    );
  });

  test('of types carry no decoration', () => {
    const offenders = product.flatMap((source) =>
      places(source, /^export (abstract )?(interface|class|type) (I[A-Z][a-z]\w+|\w+Impl|\w+Manager|\w+Helper)\b/m),
    );
    expectNone(offenders, 'Say what it is, without I…, …Impl, …Manager:');
  });
});

describe('what a reader must not find', () => {
  test('an error that is swallowed', () => {
    const offenders = ours.flatMap((source) => places(source, /\.catch\(\s*(\(\s*\w*\s*\)|\w+)\s*=>\s*\{\s*\}\s*\)/));
    expectNone(offenders, 'Handle it, log it, or say in words why it does not matter and return a value:');
  });

  test('work left for later', () => {
    const offenders = ours.flatMap(({ file }) => linesThat(file, (line) => /\b(TODO|FIXME|XXX|HACK)\b/.test(line)));
    expectNone(offenders, 'Do it, or open an issue:');
  });

  test('a test that never runs, or runs alone', () => {
    const offenders = ours.flatMap((source) => places(source, /\b(it|test|describe)\.(skip|only|todo)\(/));
    expectNone(offenders, 'Mend or remove the test; for a missing server there is test/services/require-program.ts:');
  });

  test('a type that is switched off', () => {
    const off = /@ts-(ignore|nocheck|expect-error)|\bas any\b|[:<] ?any\b(?! \w)/;
    const offenders = ours.flatMap(({ file }) => linesThat(file, (line) => off.test(line)));
    expectNone(offenders, 'Say the type, or `unknown`, and narrow it:');
  });

  test('a path of somebody’s machine', () => {
    const machine = /(^|[\s'"`(=:])\/(work|root|Users|home\/\w+|tmp\/\w+)(\/|\b)/;
    const texts = files.filter((file) => TEXT_FILE.test(file) && !file.startsWith('test/house'));
    expectNone(
      texts.flatMap((file) => linesThat(file, (line) => machine.test(line))),
      'Make it relative, take it as an argument, or use os.tmpdir():',
    );
  });

  test('the host of a private registry', () => {
    const told = /registry\s*=|index-url|"resolved":|"registry":/;
    const offenders = files
      .filter((file) => TEXT_FILE.test(file) && !file.startsWith('test/house'))
      .flatMap((file) =>
        linesThat(
          file,
          (line) => told.test(line) && /https?:/.test(line) && !line.includes('https://registry.npmjs.org/'),
        ),
      );
    expectNone(offenders, 'Leave the registry to the machine that installs:');
  });
});

describe('words above the code', () => {
  const documented = sources.filter(
    ({ file }) => /^(gateway|devices|config|simulators)\/.*\.ts$/.test(file) && !file.startsWith('gateway/api/ui/'),
  );

  test('every exported function, class, interface, type and constant of the product says what it is', () => {
    const silent = documented.flatMap(({ file, text }) => undocumented(text).map((name) => `${file}  ${name}`));
    expectNone(silent, 'Write a docstring: what it is, units, ranges, errors, and the source of an algorithm:');
  });

  test('none only says its name again', () => {
    const twice = documented.flatMap(({ file, text }) => saidTwice(text).map((name) => `${file}  ${name}`));
    expectNone(twice, 'Say what the name does not: units, ranges, errors, what it is for:');
  });
});

describe('what is installed', () => {
  test('is pinned exactly', () => {
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read('package.json'));
    const loose = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
      .filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(String(version)))
      .map(([name, version]) => `${name} ${version}`);
    expectNone(loose, 'Pin an exact version:');
  });

  test('runs no install script in production', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { hasInstallScript?: boolean; dev?: boolean; devOptional?: boolean }>;
    };
    const scripts = Object.entries(packages)
      .filter(
        ([, { hasInstallScript, dev, devOptional }]) =>
          hasInstallScript === true && dev !== true && devOptional !== true,
      )
      .map(([name]) => name);
    expectNone(scripts, 'Choose a package that needs no script at install:');
  });

  test('comes with its integrity', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { integrity?: string; link?: boolean; os?: string[]; libc?: string[] }>;
    };
    // What Linux with glibc, where Headgate is developed and runs, never installs can only be named.
    const unpinned = Object.entries(packages)
      .filter(([, { os = ['linux'], libc = ['glibc'] }]) => os.includes('linux') && libc.includes('glibc'))
      .filter(([name, { integrity, link }]) => name !== '' && link !== true && integrity === undefined)
      .map(([name]) => name);
    expectNone(unpinned, 'Install again with npm, which writes the integrity:');
  });
});

describe('the rules themselves', () => {
  test('know the floors', () => {
    const { imports, runtimeImports } = sourceOf(
      'gateway/detect/detectors/range.ts',
      "import type { Clock } from '../../core/clock.ts';\nimport { a } from '../../runtime/gateway.ts';\n// import '../../api/app.ts'\n",
    );
    expect(imports).toEqual(['gateway/core/clock.ts', 'gateway/runtime/gateway.ts']);
    expect(runtimeImports).toEqual(['gateway/runtime/gateway.ts']);
    expect(forbiddenImport('gateway/detect/detectors/range.ts', 'gateway/core/clock.ts')).toBeUndefined();
    expect(forbiddenImport('gateway/detect/detectors/range.ts', 'gateway/runtime/gateway.ts')).toContain(
      'rooms do not know each other',
    );
    expect(forbiddenImport('gateway/core/clock.ts', 'gateway/base/backoff.ts')).toContain('go down only');
    expect(forbiddenImport('simulators/plant.ts', 'gateway/core/clock.ts')).toContain('independent witnesses');
    expect(forbiddenImport('gateway/api/app.ts', 'simulators/plant.ts')).toContain('only commands');
    expect(forbiddenImport('gateway/catalog/sources.ts', 'simulators/plant.ts')).toContain('only commands');
    expect(forbiddenImport('gateway/commands/demo.ts', 'simulators/plant.ts')).toBeUndefined();
  });

  test('know the three rooms of the front door', () => {
    expect(forbiddenImport('gateway/main.ts', 'gateway/commands/run.ts')).toBeUndefined();
    expect(forbiddenImport('gateway/commands/run.ts', 'gateway/catalog/assemble.ts')).toBeUndefined();
    expect(forbiddenImport('gateway/catalog/assemble.ts', 'gateway/runtime/gateway.ts')).toBeUndefined();
    expect(forbiddenImport('gateway/catalog/assemble.ts', 'gateway/commands/logger.ts')).toContain('go down only');
    expect(forbiddenImport('gateway/commands/run.ts', 'gateway/main.ts')).toContain('go down only');
    expect(forbiddenImport('gateway/runtime/gateway.ts', 'gateway/catalog/sinks.ts')).toContain('go down only');
    expect(homeOf('gateway/catalog.ts')).toBeUndefined();
  });

  test('see code, not comments or quotes', () => {
    const text = "// Date.now()\nconst a = 'Date.now()';\nconst b = /['\"]/.test(a) ? `${Date.now()}` : 0;\n";
    expect(places(sourceOf('a.ts', text), /Date\.now/)).toEqual([
      'a.ts:3  const b = /[\'"]/.test(a) ? `${Date.now()}` : 0;',
    ]);
  });

  test('miss no docstring', () => {
    expect(undocumented('/** Yes. */\nexport function a() {}\n\nexport interface B {}\nexport const c = 1;\n')).toEqual(
      ['B', 'c'],
    );
    expect(
      saidTwice('/** The open files. */\nexport class OpenFile {}\n/** A file for a log. */\nexport class File {}\n'),
    ).toEqual(['OpenFile']);
  });
});
