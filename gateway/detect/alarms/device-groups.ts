import type { EpochMs } from '../../core/clock.ts';
import { GatewayError } from '../../core/errors.ts';
import { deviceKey } from '../../core/reading.ts';
import type { AlarmEvent } from '../../core/result.ts';

/** Devices whose last group is remembered; those that have had none for the longest go first. */
export const MAX_GROUPS = 1_000;

interface Group {
  readonly id: string;
  /** When its last alarm was raised, in event time. */
  readonly last: EpochMs;
}

/**
 * Finds which alarms belong together: those of one device of which each was raised shortly after the one before. A machine that breaks down
 * is one trouble, however many of its sensors tell of it.
 */
export class DeviceGroups {
  readonly #withinMs: number;
  #groups = new Map<string, Group>();

  /** @param withinMs how long after the last alarm of a group a further one still belongs to it, in event time */
  constructor(withinMs: number) {
    this.#withinMs = withinMs;
  }

  get size(): number {
    return this.#groups.size;
  }

  /** The id of the group that a newly raised alarm belongs to: `device@raisedAt` of its first. */
  groupOf({ series, raisedAt }: AlarmEvent): string {
    const device = deviceKey(series);
    const known = this.#groups.get(device);
    const belongs = known !== undefined && Math.abs(raisedAt - known.last) <= this.#withinMs;
    const group = belongs
      ? { id: known.id, last: Math.max(raisedAt, known.last) }
      : { id: `${device}@${raisedAt}`, last: raisedAt };
    // Set anew, so that the order of the map is that of the last use.
    this.#groups.delete(device);
    this.#groups.set(device, group);
    if (this.#groups.size > MAX_GROUPS) this.#groups.delete(this.#groups.keys().next().value!);
    return group.id;
  }

  snapshot(): unknown {
    return new Map(this.#groups);
  }

  /** @throws GatewayError where it is no snapshot of groups */
  restore(snapshot: unknown): void {
    if (!(snapshot instanceof Map)) throw new GatewayError('Cannot restore the groups of alarms: they are no map');
    this.#groups = new Map(snapshot as Map<string, Group>);
  }
}
