import { dirname, resolve } from 'node:path';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { messageOf } from '../gateway/core/errors.ts';
import { Checker } from './check.ts';
import type { Configuration } from './configuration.ts';
import { shield, unshield } from './environment.ts';
import type { Problem } from './problems.ts';
import type { Report } from './report.ts';
import { resolveConfiguration } from './resolve.ts';
import { checkRules } from './rules.ts';
import type { Checked } from './scalar-checks.ts';
import { type CheckedFile, configurationSchema } from './schema.ts';
import type { SchemaNode } from './schema-node.ts';
import { readTables } from './table-rules.ts';
import type { Vocabulary } from './vocabulary.ts';

export { formatProblems, type Problem } from './problems.ts';

/** Largest configuration file that is read, in bytes. */
export const MAX_FILE_BYTES = 1024 * 1024;

/** What loading needs from outside. */
export interface LoadOptions {
  /** Path of the file: its folder is where relative paths in it begin. */
  readonly fileName: string;
  /** Another folder for relative paths to begin in. */
  readonly folder?: string;
  /** For `${NAME}`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Reads the file of a secret or a certificate; throws where it cannot. Without it, naming a file is a problem. */
  readonly readFile?: (path: string) => string;
  /** The aggregates and detectors there are. */
  readonly vocabulary: Vocabulary;
}

/** A configuration ready to use, or everything that is wrong with the file, in order of lines. */
export type Loaded = { readonly configuration: Configuration } | { readonly problems: readonly Problem[] };

/** Reads, checks and completes a configuration file. It never throws for what is in the file. */
export function loadConfiguration(text: string, options: LoadOptions): Loaded {
  const size = Buffer.byteLength(text);
  if (size > MAX_FILE_BYTES) {
    return { problems: [fileProblem(`the file has ${size} bytes; at most ${MAX_FILE_BYTES} are read`)] };
  }
  const lines = new LineCounter();
  const document = parseDocument(shield(text), { lineCounter: lines, prettyErrors: false, stringKeys: false });
  const syntax = syntaxProblems(document, lines);
  // After a broken line the rest may mean something else than was written, but a key that is there twice harms nothing.
  if (document.errors.some(({ code }) => code !== 'DUPLICATE_KEY')) return { problems: syntax };
  if (document.contents === null)
    return { problems: [fileProblem('the file is empty', '`headgate init` writes a file to start from')] };

  const checker = new Checker(document, lines, {
    environment: options.environment,
    folder: resolve(options.folder ?? dirname(options.fileName)),
    readSecret: (path) => readSecret(path, options.readFile),
  });
  const file = checker.check(configurationSchema(options.vocabulary) as SchemaNode) as CheckedFile | undefined;
  const report = reportOf(checker);
  const tables = readTables(file?.tables, options.readFile, report);
  if (file !== undefined) checkRules(file, tables, options.vocabulary, report);
  const problems = [...syntax, ...checker.problems];
  if (file === undefined || problems.length > 0) return { problems: problems.sort(byPlace) };
  return { configuration: resolveConfiguration(file, tables, options.vocabulary) };
}

/** A rule that looks at several keys says nothing where one of them is wrong: it would miss what was meant to be there. */
function reportOf(checker: Checker): Report {
  const wrong = checker.problems.map(({ path }) => path);
  return (path, ...found) => {
    if (!wrong.some((one) => one.startsWith(`${path}.`) || one.startsWith(`${path}[`))) checker.report(path, ...found);
  };
}

function byPlace(a: Problem, b: Problem): number {
  return a.line - b.line || a.column - b.column;
}

function fileProblem(message: string, hint?: string): Problem {
  return { line: 1, column: 1, path: '', message, hint };
}

const SYNTAX_HINTS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'YAML is indented with spaces',
  DUPLICATE_KEY: 'leave one of the two out',
  MULTIPLE_DOCS: 'one file holds one configuration: leave out the line ---',
};

function syntaxProblems(document: Document.Parsed, lines: LineCounter): Problem[] {
  return document.errors.map(({ code, message, pos }) => {
    const { line, col } = lines.linePos(pos[0]);
    const hint = SYNTAX_HINTS[code] ?? 'texts with : # { } [ ] & * or a leading % @ ` need quotes';
    return {
      line: Math.max(line, 1),
      column: Math.max(col, 1),
      path: '',
      message: `not YAML: ${unshield(message)}`,
      hint,
    };
  });
}

function readSecret(path: string, readFile: ((path: string) => string) | undefined): Checked {
  if (readFile === undefined) return { problem: 'files cannot be read here' };
  try {
    const value = readFile(path).trim();
    if (value === '') return { problem: `the file ${path} is empty`, hint: 'put into it what belongs there' };
    return { value };
  } catch (error) {
    return {
      problem: `cannot read ${path}: ${messageOf(error)}`,
      hint: 'it must be there and readable by the user of the gateway',
    };
  }
}
