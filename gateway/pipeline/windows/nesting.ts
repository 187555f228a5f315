import type { EpochMs } from '../../core/clock.ts';
import { GatewayError } from '../../core/errors.ts';
import { makeAssigner, type WindowShape } from './assigners.ts';
import type { CalendarUnit } from './calendar-windows.ts';

type Tumbling = Extract<WindowShape, { readonly tumblingMs: number }>;
type Calendar = Extract<WindowShape, { readonly timeZone: string }>;

/** Windows that lie side by side. */
export type RollupShape = Tumbling | Calendar;

/** Which stretches of the calendar are made of whole ones of another. */
const CALENDAR_PARTS: Readonly<Record<CalendarUnit, readonly CalendarUnit[]>> = {
  day: [],
  week: ['day'],
  month: ['day'],
  year: ['day', 'month'],
};

/** Between these it is asked about once a month when a stretch of the calendar begins: a time zone keeps its offset for longer. */
const ASKED_FROM: EpochMs = Date.UTC(2000, 0, 1);
const ASKED_TO: EpochMs = Date.UTC(2040, 0, 1);
const ASKED_EVERY_MS = 30 * 86_400_000;

/**
 * Requires that each window of one shape lies in exactly one of another, larger one, so that the other can be made of them.
 *
 * @param part any shape of a window
 * @throws GatewayError where it does not
 */
export function requireNesting(part: object, whole: RollupShape): void {
  const sizeMs = sizeOf(part as Partly);
  if (sizeMs !== undefined) requireMultiple(sizeMs, whole);
  else if ('calendar' in part) requireStretches(part as Calendar, whole);
  else {
    throw new GatewayError('Cannot merge windows that do not lie side by side, or whose ends the readings decide', {
      hint: 'A rollup is made from tumbling or calendar windows, or from another rollup.',
    });
  }
}

type Partly = { readonly tumblingMs?: number; readonly hoppingMs?: number; readonly everyMs?: number };

/** The size of windows that lie side by side; undefined for others. */
function sizeOf({ tumblingMs, hoppingMs, everyMs }: Partly): number | undefined {
  return tumblingMs ?? (hoppingMs === everyMs ? hoppingMs : undefined);
}

function requireMultiple(sizeMs: number, whole: RollupShape): void {
  if ('tumblingMs' in whole) {
    if (whole.tumblingMs > sizeMs && whole.tumblingMs % sizeMs === 0) return;
    throw new GatewayError(`Cannot make windows of ${whole.tumblingMs} ms from windows of ${sizeMs} ms`, {
      hint: `The size is a whole multiple of ${sizeMs} ms, at least twice that.`,
    });
  }
  const border = strayBorder(sizeMs, whole);
  if (border === undefined) return;
  const { calendar, timeZone } = whole;
  throw new GatewayError(
    `Cannot make a ${calendar} in ${timeZone} from windows of ${sizeMs} ms: one that begins at ${new Date(border).toISOString()} cuts through such a window`,
    { hint: 'Windows of 1m or 15m fit into any day; those of 1h where the time zone is whole hours from UTC.' },
  );
}

/** A beginning of a stretch of the calendar that lies within a window of that size. */
function strayBorder(sizeMs: number, whole: Calendar): EpochMs | undefined {
  const assigner = makeAssigner(whole);
  for (let time = ASKED_FROM; time < ASKED_TO; time += ASKED_EVERY_MS) {
    const start = assigner.startOf(time);
    if (start % sizeMs !== 0) return start;
  }
  return undefined;
}

function requireStretches(part: Calendar, whole: RollupShape): void {
  const wholes = Object.entries(CALENDAR_PARTS).filter(([, parts]) => parts.includes(part.calendar));
  const allowed = wholes.map(([unit]) => `calendar: ${unit}`).join(', ');
  if ('tumblingMs' in whole || !CALENDAR_PARTS[whole.calendar].includes(part.calendar)) {
    const wanted = 'tumblingMs' in whole ? `windows of ${whole.tumblingMs} ms` : `a ${whole.calendar}`;
    throw new GatewayError(`Cannot make ${wanted} from windows of a ${part.calendar} each`, {
      hint: allowed === '' ? 'Make it from shorter windows.' : `Allowed is ${allowed}.`,
    });
  }
  if (whole.timeZone === part.timeZone) return;
  throw new GatewayError(
    `Cannot make a ${whole.calendar} in ${whole.timeZone} from windows of a ${part.calendar} in ${part.timeZone}`,
    { hint: `Both are in one time zone: timeZone: ${part.timeZone}.` },
  );
}
