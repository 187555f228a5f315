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

/** All alarms there must be. */
export function expectedAlarms(readings: readonly SentReading[]): readonly ExpectedAlarm[] {
  const alarms: ExpectedAlarm[] = [];
  const loads = Map.groupBy(
    readings.filter(({ metric }) => metric === 'load'),
    ({ device }) => device,
  );
  for (const [device, series] of loads) {
    let active: ExpectedAlarm | undefined;
    let lastHigh = 0;
    for (const reading of series.toSorted((a, b) => a.time - b.time)) {
      const { time, value } = reading;
      if (Number(value) > LOAD_LIMIT) {
        lastHigh = time;
        if (active !== undefined) continue;
        active = { id: `range@${device}/load@${time}`, clearedBy: undefined };
        alarms.push(active);
      } else if (active !== undefined && time - lastHigh >= HOLD_MS) {
        active.clearedBy = reading;
        active = undefined;
      }
    }
  }
  return alarms;
}
