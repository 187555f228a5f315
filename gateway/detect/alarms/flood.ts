import { isoTime } from '../../base/iso-time.ts';
import type { EpochMs } from '../../core/clock.ts';
import { GatewayError } from '../../core/errors.ts';
import { deviceKey, seriesKey } from '../../core/reading.ts';
import type { AlarmEvent } from '../../core/result.ts';
import { durationInWords, numberInWords } from '../words.ts';

/** When too many alarms come for a person to read (ISA-18.2: more than ten in ten minutes, until fewer than five). */
export interface FloodPolicy {
  /** More than so many within `withinMs` are a flood, at least 1; 0: nothing ever is. */
  readonly above: number;
  /** It is over when fewer than so many come within `withinMs`; at least 1, at most `above`. */
  readonly below: number;
  /** In milliseconds of receive time. */
  readonly withinMs: number;
}

/** Devices that are counted apart in a flood, and those that are named. */
const MAX_COUNTED = 100;
const MAX_NAMED = 5;
const OTHERS = '(others)';

interface Raise {
  readonly time: EpochMs;
  readonly device: string;
}

/** A flood that is on. */
export interface FloodState {
  readonly raised: AlarmEvent;
  /** Wall time; goes with the clock where that is set. */
  readonly since: EpochMs;
  /** Alarms since it began, those before it that made it one included. */
  readonly count: number;
  readonly suppressed: number;
  readonly byDevice: ReadonlyMap<string, number>;
}

/** Watches how many alarms come. While too many do, those below `critical` are not for people: one alarm of the gateway tells of all of them. */
export class Flood {
  readonly #policy: FloodPolicy;
  readonly #gateway: string;
  /** The last ones, the newest last: as many as it takes to tell whether there are too many, or few enough. */
  #recent: Raise[] = [];
  #state: FloodState | undefined;

  /** @param gateway its name: the alarm is one of a series `alarms` of that device */
  constructor(policy: FloodPolicy, gateway: string) {
    this.#policy = policy;
    this.#gateway = gateway;
  }

  get state(): FloodState | undefined {
    return this.#state;
  }

  /** When the flood that is on is over, if nothing more comes; +∞ where none is on. */
  get endsAt(): EpochMs {
    if (this.#state === undefined) return Number.POSITIVE_INFINITY;
    const last = this.#recent.at(-this.#policy.below)?.time;
    // Where the policy is another one since a restart, it may be over at once.
    return last === undefined || this.#policy.above === 0 ? Number.NEGATIVE_INFINITY : last + this.#policy.withinMs;
  }

  /** An alarm is raised at receive time `now`; answers with the alarm of a flood that has begun by it. */
  hear({ series, severity }: AlarmEvent, now: EpochMs): AlarmEvent | undefined {
    const { above, withinMs } = this.#policy;
    if (above === 0) return undefined;
    const device = deviceKey(series);
    this.#recent.push({ time: now, device });
    if (this.#recent.length > above + 1) this.#recent.shift();
    let begun: AlarmEvent | undefined;
    if (this.#state !== undefined) this.#count(device);
    else if (this.#recent.length > above && now - this.#recent[0]!.time < withinMs) begun = this.#begin(now);
    if (this.#state !== undefined && severity !== 'critical') {
      this.#state = { ...this.#state, suppressed: this.#state.suppressed + 1 };
    }
    return begun;
  }

  /** Whether an alarm that is raised now is not for people. */
  suppresses({ severity }: AlarmEvent): boolean {
    return this.#state !== undefined && severity !== 'critical';
  }

  /** The flood is over at `time`. @returns the last step of its alarm */
  end(time: EpochMs): AlarmEvent {
    const { raised, count, suppressed, byDevice } = this.#state!;
    this.#state = undefined;
    const { below, withinMs } = this.#policy;
    const what = `${count} were raised, ${named(byDevice)}, and ${suppressed} of them told to nobody`;
    const message = `The flood of alarms since ${isoTime(raised.raisedAt)} is over: ${what}; fewer than ${below} came in the last ${durationInWords(withinMs)}.`;
    return { ...raised, state: 'cleared', time, value: count, score: 0, message };
  }

  /** The wall clock was set: no time has passed by that. */
  step(byMs: number): void {
    this.#recent = this.#recent.map(({ time, device }) => ({ time: time + byMs, device }));
    if (this.#state !== undefined) this.#state = { ...this.#state, since: this.#state.since + byMs };
  }

  snapshot(): unknown {
    return { recent: [...this.#recent], state: this.#state };
  }

  /** @throws GatewayError where it is no snapshot of a flood */
  restore(snapshot: unknown): void {
    const { recent, state } = (snapshot ?? {}) as { recent?: unknown; state?: FloodState };
    if (!Array.isArray(recent)) throw new GatewayError('Cannot restore the flood of alarms: the snapshot has no list');
    this.#recent = (recent as readonly Raise[]).slice(-(this.#policy.above + 1));
    this.#state = state;
  }

  #begin(now: EpochMs): AlarmEvent {
    const { above, below, withinMs } = this.#policy;
    const byDevice = new Map<string, number>();
    for (const { device } of this.#recent) byDevice.set(device, (byDevice.get(device) ?? 0) + 1);
    const count = this.#recent.length;
    const identity = { device: this.#gateway, metric: 'alarms', tags: {} };
    const series = { ...identity, key: seriesKey(identity) };
    const seen = `${count} were raised since ${isoTime(this.#recent[0]!.time)} where at most ${numberInWords(above)} in ${durationInWords(withinMs)} were expected`;
    const raised: AlarmEvent = {
      kind: 'alarm',
      id: `flood@${series.key}@${now}`,
      series,
      detector: 'flood',
      severity: 'warning',
      state: 'raised',
      time: now,
      raisedAt: now,
      score: count / above,
      value: count,
      message: `Too many alarms at once: ${seen}, ${named(byDevice)}; until fewer than ${below} come, those below critical are kept, and told to nobody.`,
    };
    this.#state = { raised, since: now, count, suppressed: 0, byDevice };
    return raised;
  }

  #count(device: string): void {
    const state = this.#state!;
    const byDevice = new Map(state.byDevice);
    const place = byDevice.has(device) || byDevice.size < MAX_COUNTED ? device : OTHERS;
    byDevice.set(place, (byDevice.get(place) ?? 0) + 1);
    this.#state = { ...state, count: state.count + 1, byDevice };
  }
}

/** As in `9 of press-1, 2 of pump-2`, those with most first. */
function named(byDevice: ReadonlyMap<string, number>): string {
  const most = [...byDevice].sort(([, a], [, b]) => b - a);
  const words = most.slice(0, MAX_NAMED).map(([device, count]) => `${count} of ${device}`);
  const rest = most.slice(MAX_NAMED);
  if (rest.length > 0) words.push(`${rest.reduce((sum, [, count]) => sum + count, 0)} of ${rest.length} other devices`);
  return words.join(', ');
}
