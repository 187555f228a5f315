import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const NOT_OURS = new Set(['node_modules', '.git', '.headgate', 'coverage']);

/** Every file of the tree that is ours, relative to its root, with `/`. */
export function filesOfTheTree(): readonly string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((file) => !file.split('/').some((part) => NOT_OURS.has(part)) && !file.endsWith('.log'))
    .sort();
}

/** The text of a file of the tree. */
export function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

/** A source file, taken apart as far as the rules of the house need it. */
export interface Source {
  readonly file: string;
  readonly text: string;
  /** The text without comments and without what is inside quotes; the lines stay the same. */
  readonly code: string;
  /** Our own files that it imports or starts as a program or worker, relative to the root. */
  readonly imports: readonly string[];
  /** Those of them that are there at run time: imported for more than their types. */
  readonly runtimeImports: readonly string[];
}

/** Every TypeScript and JavaScript file of the tree. */
export function sourcesOfTheTree(): readonly Source[] {
  return filesOfTheTree()
    .filter((file) => /\.[cm]?[jt]s$/.test(file))
    .map((file) => sourceOf(file, read(file)));
}

/** A source file taken apart. */
export function sourceOf(file: string, text: string): Source {
  return { file, text, code: codeOf(text), ...importsOf(file, text) };
}

/** Where a pattern stands in the code of a source: `file:line  the line`. */
export function places({ file, text, code }: Source, pattern: RegExp): readonly string[] {
  const lines = text.split('\n');
  return [...code.matchAll(new RegExp(pattern, `g${pattern.flags}`))].map(({ index }) => {
    const line = code.slice(0, index).split('\n').length;
    return `${file}:${line}  ${lines[line - 1]?.trim()}`;
  });
}

const REGEXP = /(?<=[=(,:?!&|;{}[\n]\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/;
const COMMENT = /\/\*[\s\S]*?\*\/|\/\/[^\n]*/;
const QUOTED = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/;
const TOKEN = new RegExp(`(${REGEXP.source})|(${COMMENT.source})|(${QUOTED.source})`, 'g');

/** Not a parser: it takes template literals for code, which is right for what stands in their braces. */
function codeOf(text: string): string {
  return text.replace(TOKEN, (token, regexp: string | undefined, comment: string | undefined) => {
    if (regexp !== undefined) return '/_/';
    if (comment !== undefined) return comment.replace(/[^\n]/g, ' ');
    return token.replace(/[^'"]/g, '_');
  });
}

const IMPORT = /\b(?:(import|export)\s+(type\b)?[^'";]*?\bfrom|import)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g;
const PROGRAM =
  /new URL\(\s*['"]([\w./-]+\.[jt]s)['"],\s*import\.meta\.url|\bjoin\(import\.meta\.dirname,\s*['"]([\w./-]+\.[jt]s)['"]/g;

function importsOf(file: string, text: string): Pick<Source, 'imports' | 'runtimeImports'> {
  const bare = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const place = (module: string) => normalize(join(dirname(file), module));
  const modules = [...bare.matchAll(IMPORT)].map(([, , type, module]) => ({ type, target: place(module!) }));
  const programs = [...bare.matchAll(PROGRAM)].map(([, byUrl, byFolder]) => place((byUrl ?? byFolder)!));
  const runtime = modules.filter(({ type }) => type === undefined).map(({ target }) => target);
  return { imports: [...modules.map(({ target }) => target), ...programs], runtimeImports: [...runtime, ...programs] };
}
