import type { SeriesRegistry } from '../base/series-registry.ts';
import type { EpochMs } from '../core/clock.ts';
import { GatewayError } from '../core/errors.ts';
import { seriesKey } from '../core/reading.ts';
import type { AlarmEvent } from '../core/result.ts';
import type { Emit } from '../core/stage.ts';
import type { SeriesAllowed, SeriesRefused } from './command.ts';

interface SeriesAlarmSnapshot {
  readonly raised: AlarmEvent;
}

/**
 * The alarm of the gateway itself: readings of further series are refused, as there are as many as `storage.maxSeries` allows. Raised and cleared by commands of
 * the journal, so that a replay gives the same steps.
 */
export class SeriesAlarm {
  #raised: AlarmEvent | undefined;
  /** A command is on its way to the journal. */
  #isTold = false;

  /** The event that raised it; undefined while it is not active. */
  get raised(): AlarmEvent | undefined {
    return this.#raised;
  }

  /** What there is to tell the journal, if anything; it comes back through `refused` or `allowed`. */
  look(registry: SeriesRegistry, time: EpochMs): SeriesRefused | SeriesAllowed | undefined {
    if (this.#isTold) return undefined;
    const hasRoom = registry.count < registry.max;
    if (this.#raised === undefined) {
      const { firstRefused: first, max } = registry;
      if (first === undefined || hasRoom) return undefined;
      this.#isTold = true;
      return { type: 'series-refused', first, max, time };
    }
    if (!hasRoom) return undefined;
    this.#isTold = true;
    return { type: 'series-allowed', time };
  }

  /** @param gateway its name: the alarm is one of a series `series` of that device */
  refused({ first, max, time }: SeriesRefused, gateway: string, emit: Emit): void {
    this.#isTold = false;
    if (this.#raised !== undefined) return;
    const identity = { device: gateway, metric: 'series', tags: {} };
    const series = { ...identity, key: seriesKey(identity) };
    const mend = 'raise storage.maxSeries, or see which device makes up names';
    this.#raised = {
      kind: 'alarm',
      id: `bound@${series.key}@${time}`,
      series,
      detector: 'bound',
      severity: 'critical',
      state: 'raised',
      time,
      raisedAt: time,
      score: 1,
      value: max,
      message: `There are ${max} series, the most that storage.maxSeries allows: readings of further ones are refused, the first of ${first}; ${mend}.`,
    };
    emit(this.#raised);
  }

  /** There is room again, as after `storage.maxSeries` was raised. */
  allowed({ time }: SeriesAllowed, emit: Emit): void {
    this.#isTold = false;
    if (this.#raised === undefined) return;
    emit({ ...this.#raised, state: 'cleared', time, message: 'There is room for further series again.' });
    this.#raised = undefined;
  }

  snapshot(): SeriesAlarmSnapshot | undefined {
    return this.#raised && { raised: this.#raised };
  }

  /** @throws GatewayError where it cannot be read */
  restore(snapshot: unknown): void {
    if (snapshot === undefined) return;
    const { raised } = snapshot as Partial<SeriesAlarmSnapshot>;
    if (raised?.kind !== 'alarm') throw new GatewayError('Cannot restore the alarm of too many series: it is none');
    this.#raised = raised;
  }
}
