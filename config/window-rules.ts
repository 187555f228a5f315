import { quoted } from './problems.ts';
import { type Partly, type Report, reportError, unique } from './report.ts';
import { windowShape } from './resolve.ts';
import type { CheckedFile } from './schema.ts';
import { formatDuration } from './units.ts';
import type { Vocabulary } from './vocabulary.ts';

type Window = CheckedFile['windows'][number];
type PartlyWindow = Partly<Window>;

/** The keys without which there is no shape. */
const WHOLE_SHAPES = [
  ['tumbling'],
  ['session'],
  ['hopping', 'every'],
  ['calendar', 'timeZone'],
  ['count'],
  ['while'],
  ['sliding'],
] as const;

/** What the rules of windows look at beside them, in milliseconds; a part that is missing was invalid, and has been told of. */
export interface WindowSurroundings {
  readonly outOfOrderness: number | undefined;
  /** How long the history keeps results. */
  readonly historyMaxAge: number | undefined;
}

/** Checks what a schema cannot say of windows. */
export function checkWindows(
  windows: readonly (PartlyWindow | undefined)[],
  surroundings: WindowSurroundings,
  vocabulary: Vocabulary,
  report: Report,
): void {
  windows.forEach((window, index) => {
    const path = `windows[${index}]`;
    const historyMaxAge = window?.keep ?? surroundings.historyMaxAge;
    checkShape(window?.window, `${path}.window`, { ...surroundings, historyMaxAge }, vocabulary, report);
    if (window?.early !== undefined && window.early < 1) {
      report(`${path}.early`, 'early results cannot come so often', 'at most once a millisecond, 1ms');
    }
    if (window?.early !== undefined && window.window !== undefined && 'sliding' in window.window) {
      report(`${path}.early`, 'sliding windows give a result with each reading as it is', 'leave it out');
    }
    if (window?.late === 'store' && window.window !== undefined && 'count' in window.window) {
      report(`${path}.late`, 'nothing comes too late for windows of a number of readings', 'leave it out');
    }
    const shape = wholeShape(window?.window);
    window?.aggregates?.forEach((aggregate, i) => {
      if (shape === undefined || aggregate === undefined) return;
      reportError(`${path}.aggregates[${i}]`, report, () => vocabulary.checkAggregate(windowShape(shape), aggregate));
    });
    unique(
      `${path}.aggregates`,
      window?.aggregates ?? [],
      (aggregate) => `${quoted(aggregate)} is named twice`,
      report,
    );
  });
}

/** The shape, where no key is missing that makes it one. */
export function wholeShape(
  shape: PartlyWindow['window'] | Partly<CheckedFile['rollups'][number]['window']>,
): Window['window'] | undefined {
  const given = new Set(Object.entries(shape ?? {}).flatMap(([key, value]) => (value === undefined ? [] : [key])));
  if (!WHOLE_SHAPES.some((keys) => keys.every((key) => given.has(key)))) return undefined;
  const whole = shape as Window['window'];
  return 'while' in whole && !isWholeCondition(whole.while) ? undefined : whole;
}

function checkShape(
  shape: PartlyWindow['window'],
  path: string,
  { outOfOrderness = 0, historyMaxAge = Number.POSITIVE_INFINITY }: WindowSurroundings,
  vocabulary: Vocabulary,
  report: Report,
): void {
  const whole = wholeShape(shape);
  if (whole === undefined) return;
  const latenessMs = 'allowedLateness' in whole ? (whole.allowedLateness ?? 0) : 0;
  reportError(path, report, () => vocabulary.checkWindow(windowShape(whole), latenessMs + outOfOrderness));
  if (latenessMs <= historyMaxAge) return;
  report(
    `${path}.allowedLateness`,
    `a result would be corrected after the history has given it up: it keeps results for ${formatDuration(historyMaxAge)}, got ${formatDuration(latenessMs)}`,
    `at most ${formatDuration(historyMaxAge)}, or a longer keep or storage.history.maxAge`,
  );
}

/** Whether the key is there that says what the condition is. */
function isWholeCondition(condition: object): boolean {
  return ['above', 'below', 'equals', 'unchanged'].some((key) => Object.hasOwn(condition, key));
}
