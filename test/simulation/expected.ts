import { LOAD_LIMIT, type Message, type SentReading } from './workload.ts';

/** The window of the simulated configuration, `ten`. */
export const WINDOW_MS = 10_000;
/** What is made from it, `minute`. */
export const ROLLUP_MS = 60_000;
/** Both, by the names in the configuration. */
export const WINDOWS = [
  { name: 'ten', sizeMs: WINDOW_MS },
  { name: 'minute', sizeMs: ROLLUP_MS },
];
/** How long after the last anomaly an alarm is cleared. */
export const HOLD_MS = 5_000;

/** What must be known of a window, computed from the readings alone. */
export interface ExpectedWindow {
  count: number;
  sum: number;
  min: number;
  max: number;
}

/** The readings of some messages; one that was sent twice counts once. */
export function distinctReadings(messages: readonly Message[]): readonly SentReading[] {
  const distinct = new Map<string, SentReading>();
  for (const { reading } of messages) {
    if (reading === undefined) continue;
    const { device, metric, time, value } = reading;
    distinct.set(`${device}/${metric}@${time}=${value}`, reading);
  }
  return [...distinct.values()];
}

/** By the key under which a store has them. */
export function expectedWindows(readings: readonly SentReading[]): ReadonlyMap<string, ExpectedWindow> {
  const windows = new Map<string, ExpectedWindow>();
  for (const { device, metric, time, value } of readings) {
    if (typeof value !== 'number' || metric === 'ahead') continue;
    for (const { name, sizeMs } of WINDOWS) {
      const start = Math.floor(time / sizeMs) * sizeMs;
      addTo(windows, `${device}/${metric}@${name}@${start}`, value);
    }
  }
  return windows;
}

function addTo(windows: Map<string, ExpectedWindow>, key: string, value: number): void {
  const window = windows.get(key);
  if (window === undefined) {
    windows.set(key, { count: 1, sum: value, min: value, max: value });
    return;
  }
  window.count++;
  window.sum += value;
  window.min = Math.min(window.min, value);
  window.max = Math.max(window.max, value);
}

/** An alarm from its raise on. */
export interface ExpectedAlarm {
  readonly id: string;
  /** The reading that ended it; undefined while it goes on. */
  clearedBy: SentReading | undefined;
}

/** One that comes for the third time within this is one until it was away for as long. */
const CHATTER_MS = 60_000;

/** All alarms there must be. */
export function expectedAlarms(readings: readonly SentReading[]): readonly ExpectedAlarm[] {
  const loads = Map.groupBy(
    readings.filter(({ metric }) => metric === 'load'),
    ({ device }) => device,
  );
  return [...loads].flatMap(([device, series]) => {
    const inOrder = series.toSorted((a, b) => a.time - b.time);
    return withoutChatter(episodesOf(inOrder), inOrder).map(({ start, clearedBy }) => {
      return { id: `range@${device}/load@${start}`, clearedBy };
    });
  });
}

/** What would be an alarm if none chattered. */
interface Episode {
  readonly start: number;
  lastHigh: number;
  clearedBy: SentReading | undefined;
}

function episodesOf(series: readonly SentReading[]): readonly Episode[] {
  const episodes: Episode[] = [];
  for (const reading of series) {
    const { time, value } = reading;
    const last = episodes.at(-1);
    const isOn = last !== undefined && last.clearedBy === undefined;
    if (Number(value) > LOAD_LIMIT) {
      if (isOn) last.lastHigh = time;
      else episodes.push({ start: time, lastHigh: time, clearedBy: undefined });
    } else if (isOn && time - last.lastHigh >= HOLD_MS) last.clearedBy = reading;
  }
  return episodes;
}

function withoutChatter(episodes: readonly Episode[], series: readonly SentReading[]): readonly Episode[] {
  const alarms: Episode[] = [];
  for (let i = 0; i < episodes.length; i++) {
    const { start, clearedBy } = episodes[i]!;
    alarms.push({ ...episodes[i]! });
    if (i < 2 || start - episodes[i - 2]!.start >= CHATTER_MS || clearedBy === undefined) continue;
    const alarm = alarms.at(-1)!;
    for (; ; i++) {
      const { lastHigh, clearedBy: over } = episodes[i]!;
      const next = episodes[i + 1]?.start ?? Number.POSITIVE_INFINITY;
      alarm.clearedBy =
        over && series.find(({ time }) => time >= over.time && time - lastHigh >= CHATTER_MS && time < next);
      if (alarm.clearedBy !== undefined || next === Number.POSITIVE_INFINITY) break;
    }
  }
  return alarms;
}
