import type { OrderedShape, WindowShape } from './analysis-configuration.ts';
import { nearest, quoted } from './problems.ts';
import { type Partly, type Report, reportError, unique } from './report.ts';
import { windowShape } from './resolve.ts';
import type { CheckedFile } from './schema.ts';
import { formatDuration } from './units.ts';
import type { Vocabulary } from './vocabulary.ts';
import { wholeShape } from './window-rules.ts';

type PartlyWindow = Partly<CheckedFile['windows'][number]>;
type PartlyRollup = Partly<CheckedFile['rollups'][number]>;

/** What rollups are judged by; undefined stands for what was invalid, and has been told of. */
export interface Levels {
  readonly windows: readonly (PartlyWindow | undefined)[];
  readonly rollups: readonly (PartlyRollup | undefined)[];
  /** How long the history keeps results of which nothing else is said, in milliseconds. */
  readonly historyMaxAge: number | undefined;
}

/** Checks what a schema cannot say of rollups: what they are made from, and whether that can be. */
export function checkRollups(levels: Levels, vocabulary: Vocabulary, report: Report): void {
  const { windows, rollups } = levels;
  const names = [...windows, ...rollups].flatMap((one) => one?.name ?? []);
  rollups.forEach((rollup, index) => {
    if (rollup === undefined) return;
    const path = `rollups[${index}]`;
    const taken = windows.findIndex((window) => window?.name !== undefined && window.name === rollup.name);
    if (taken >= 0) {
      const message = `the name ${quoted(rollup.name)} is taken by windows[${taken}]`;
      report(`${path}.name`, message, 'each window and rollup needs a name of its own');
    }
    if (rollup.early !== undefined && rollup.early < 1) {
      report(`${path}.early`, 'early results cannot come so often', 'at most once a millisecond, 1ms');
    }
    const aggregates = rollup.aggregates ?? [];
    unique(`${path}.aggregates`, aggregates, (aggregate) => `${quoted(aggregate)} is named twice`, report);
    const { from } = rollup;
    if (from === undefined) return;
    const origins = originsOf(rollup, levels);
    if (origins === undefined) {
      report(`${path}.from`, `${quoted(rollup.name)} is made from itself`, 'it begins with a window');
    } else if (origins.length === 0) {
      const near = nearest(from, names);
      const message = `there is no window or rollup ${quoted(from)}${near === undefined ? '' : `, did you mean ${near}?`}`;
      report(`${path}.from`, message, `allowed: ${names.filter((name) => name !== rollup.name).join(', ')}`);
    } else {
      checkNesting(rollup, path, origins[0]!, vocabulary, report);
      checkMerging(rollup, path, origins, vocabulary, report);
      checkKeep(rollup, path, origins.at(-1)!, levels.historyMaxAge, report);
    }
  });
}

type Origin = PartlyWindow | PartlyRollup;

/** What a rollup is made from, what that is made from, and so on, a window at last; undefined where they go round. */
function originsOf(rollup: PartlyRollup, { windows, rollups }: Levels): readonly Origin[] | undefined {
  const origins: Origin[] = [];
  let name = rollup.from;
  while (name !== undefined && origins.length <= rollups.length) {
    const window = windows.find((one) => one?.name === name);
    if (window !== undefined) return [...origins, window];
    const next = rollups.find((one) => one?.name === name);
    if (next === undefined) return origins;
    origins.push(next);
    name = next.from;
  }
  return name === undefined ? origins : undefined;
}

function checkNesting(
  rollup: PartlyRollup,
  path: string,
  origin: Origin,
  vocabulary: Vocabulary,
  report: Report,
): void {
  const part = shapeOf(origin);
  const whole = shapeOf(rollup);
  if (part === undefined || whole === undefined) return;
  const isRollup = 'tumblingMs' in whole || 'calendar' in whole;
  if (isRollup) reportError(`${path}.window`, report, () => vocabulary.checkNesting(part, whole));
}

function shapeOf({ window }: Origin): WindowShape | OrderedShape | undefined {
  const shape = wholeShape(window);
  return shape === undefined ? undefined : windowShape(shape);
}

function checkMerging(
  rollup: PartlyRollup,
  path: string,
  origins: readonly Origin[],
  vocabulary: Vocabulary,
  report: Report,
): void {
  // One that says nothing of its own has what it is made from.
  if (rollup.aggregates === undefined) return;
  const [whole = [], ...kept] = [rollup, ...origins].flatMap(({ aggregates }) =>
    aggregates === undefined ? [] : [aggregates.filter((name) => name !== undefined)],
  );
  if (kept.length === 0) return;
  const problem = vocabulary.mergingProblem(kept.toReversed(), whole);
  if (problem !== undefined) report(`${path}.aggregates`, problem.message, problem.hint);
}

function checkKeep(
  { keep }: PartlyRollup,
  path: string,
  root: Origin,
  historyMaxAge: number | undefined,
  report: Report,
): void {
  const lateness = root.window !== undefined && 'allowedLateness' in root.window ? root.window.allowedLateness : 0;
  const keptFor = keep ?? historyMaxAge;
  if (typeof lateness !== 'number' || keptFor === undefined || lateness <= keptFor) return;
  report(
    `${path}.${keep === undefined ? 'name' : 'keep'}`,
    `a result would be corrected after the history has given it up: it keeps it for ${formatDuration(keptFor)}, but ${quoted(root.name)} takes readings that are ${formatDuration(lateness)} late`,
    `keep it for at least ${formatDuration(lateness)}`,
  );
}
