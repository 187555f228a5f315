/** Something wrong in a configuration file. */
export interface Problem {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** The key, for example `sources[0].listen`; empty for the file as a whole. */
  readonly path: string;
  /** What is wrong, with the offending value unless it is a secret. */
  readonly message: string;
  /** What is allowed, or how to mend it. */
  readonly hint: string | undefined;
}

/**
 * The problems of a file for a terminal: where, what, the line itself, what is allowed. `text` is the file; its lines are
 * shown except where they may hold a secret.
 */
export function formatProblems(problems: readonly Problem[], fileName: string, text: string): string {
  const lines = text.split('\n');
  return problems
    .map((problem) => {
      const { line, column, path, message, hint } = problem;
      const head = `${fileName}:${line}:${column}  ${path === '' ? '' : `${path}: `}${message}`;
      const excerpt = excerptOf(lines[line - 1], column);
      return [head, ...(excerpt ?? []), ...(hint === undefined ? [] : [`    ${hint}`])].join('\n');
    })
    .join('\n');
}

const SENSITIVE = /passw|token|secret|credential|headers|authorization|api-?key|hook|:\/\/[^\s/]*@/i;

function excerptOf(line: string | undefined, column: number): readonly string[] | undefined {
  if (
    line === undefined ||
    line.length > 160 ||
    SENSITIVE.test(line) ||
    !/^[\s-]*\{?\s*["']?[\w-]+["']?\s*:/.test(line)
  )
    return undefined;
  const shown = line.replaceAll('\t', ' ').trimEnd();
  return [`    | ${shown}`, `    | ${' '.repeat(Math.min(column - 1, shown.length))}^`];
}

/** A value as a message quotes it, cut where it is long, without the user and password of an address. */
export function quoted(value: unknown): string {
  // JSON has no word for a number that is not finite.
  const written = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  const text = written.replace(/:\/\/[^/@\s]*@/g, '://…@');
  return text.length <= 80 ? text : `${text.slice(0, 77)}…${text.startsWith('"') ? '"' : ''}`;
}

/** The word that was probably meant: at most two edits away, fewer for short words. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.min(2, Math.floor(word.length / 2)) + 1;
  for (const candidate of words) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Levenshtein's distance, or `limit` when it is at least that; V. Levenshtein, 1965, in the two-row form of Wagner and Fischer. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return Math.min(row[b.length]!, limit);
}
