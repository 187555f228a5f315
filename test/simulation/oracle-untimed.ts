import { expect } from 'vitest';
import type { EpochMs } from '../../gateway/core/clock.ts';
import { WINDOW_MS } from './expected.ts';
import type { Outcome } from './oracle.ts';
import type { SimStore } from './sim-store.ts';
import { isUntimedKey, type Message } from './workload.ts';

/** How far the time of a reading may be from when it came: the clock drifts, and a look at it takes a second. */
const SLACK_MS = 2_000;

interface CountedWindow {
  readonly start: EpochMs;
  readonly count: number;
  readonly sum: number;
}

/** Readings without a time of their own are counted once where QoS 2 can tell, and lie where they came in. */
export function verifyUntimed(name: string, store: SimStore, outcome: Outcome): void {
  for (const [device, { sessionLasts }] of outcome.untimedDevices) {
    const messages = outcome.messages.filter(({ untimed }) => untimed?.device === device);
    verifyCounted(device, messages, sessionLasts, outcome);
    // A clock that is set back gives windows a second time: the later setting counts. And a full outbox may have cost some.
    if (outcome.climate.isClockSet || outcome.climate.whenFull !== 'block') continue;
    const windows = windowsOf(store, device);
    const what = `${name}: ${device}`;
    const count = windows.reduce((sum, window) => sum + window.count, 0);
    if (!sessionLasts) {
      expect(count, what).toBeGreaterThanOrEqual(messages.length);
      continue;
    }
    const sum = windows.reduce((total, window) => total + window.sum, 0);
    const values = messages.reduce((total, { untimed }) => total + untimed!.value, 0);
    expect({ count, sum }, what).toEqual({ count: messages.length, sum: values });
    verifyPlaces(what, messages, windows, outcome.status.clock.markedTotal);
  }
}

/** The ledger counts each once, whatever the clock has done. */
function verifyCounted(device: string, messages: readonly Message[], sessionLasts: boolean, { ledger }: Outcome): void {
  const { aggregated = 0, late = 0 } = ledger.groups.find(({ name }) => name === device) ?? {};
  if (sessionLasts) expect(aggregated + late, `counted of ${device}`).toBe(messages.length);
  const sends = messages.reduce((sum, message) => sum + message.sends, 0);
  expect(aggregated + late, `counted of ${device}`).toBeLessThanOrEqual(sends);
}

/** Up to every moment, as many are stored as had come; those that were marked may have an earlier time. */
function verifyPlaces(
  what: string,
  messages: readonly Message[],
  windows: readonly CountedWindow[],
  marked: number,
): void {
  let count = 0;
  for (const window of windows) {
    count += window.count;
    const end = window.start + WINDOW_MS;
    const came = messages.filter(({ acknowledgedAt }) => acknowledgedAt! < end - SLACK_MS).length;
    const mayHaveCome = messages.filter(({ sentAt }) => sentAt! < end + SLACK_MS).length;
    expect(count, `${what} before ${end}`).toBeGreaterThanOrEqual(came);
    expect(count, `${what} before ${end}`).toBeLessThanOrEqual(mayHaveCome + marked);
  }
}

function windowsOf(store: SimStore, device: string): readonly CountedWindow[] {
  const windows: CountedWindow[] = [];
  for (const [key, result] of store.stored) {
    if (result.kind !== 'aggregate' || result.window !== 'ten') continue;
    if (!isUntimedKey(key) || result.series.device !== device) continue;
    const { count = 0, sum = 0 } = result.fields;
    windows.push({ start: result.start, count, sum });
  }
  return windows.sort((a, b) => a.start - b.start);
}
