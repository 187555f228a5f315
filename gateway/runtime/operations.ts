import type { AlarmListQuery, AlarmOperations, AlarmRow, Shelving } from '../core/alarm.ts';
import type { Clock } from '../core/clock.ts';
import { GatewayError } from '../core/errors.ts';
import type { MaintenanceRow } from '../core/maintenance.ts';
import type { History } from '../core/sink.ts';
import type { Command } from './command.ts';
import type { AlarmDesk, MaintenanceDesk } from './stage-set.ts';

/** What the operations work with. */
export interface OperationsParts {
  readonly clock: Clock;
  readonly history: History;
  /** The longest time for which something may be shelved, in milliseconds. */
  readonly maxShelvingMs: number;
  /** The longest maintenance that may be started, in milliseconds. */
  readonly maxMaintenanceMs: number;
  readonly desk: () => AlarmDesk;
  readonly maintenance: () => MaintenanceDesk;
  /** Journals a command; resolves when it is durable and done. */
  readonly tell: (command: Command) => Promise<void>;
}

/**
 * What people see of the alarms and do with them. The desk knows the open ones as they are; the history has all, a moment later. What changes
 * something goes by the journal, so that it survives and is replayed in its place.
 */
export class Operations implements AlarmOperations {
  readonly #parts: OperationsParts;

  constructor(parts: OperationsParts) {
    this.#parts = parts;
  }

  alarms({ state = 'all', series, limit }: AlarmListQuery): readonly AlarmRow[] {
    const open = this.#parts.desk().open(this.#parts.clock.now());
    const rows = state === 'all' ? this.#withHistory(open, series, limit) : open;
    return rows
      .filter((row) => series === undefined || row.series === series)
      .filter(({ clearedAt }) => state !== 'active' || clearedAt === null)
      .toSorted((a, b) => b.raisedAt - a.raisedAt)
      .slice(0, limit);
  }

  async acknowledge(id: string, by: string): Promise<AlarmRow | undefined> {
    const alarm = this.#find(id);
    if (alarm === undefined || alarm.acknowledgedAt !== null) return alarm;
    const time = this.#parts.clock.now();
    await this.#parts.tell({ type: 'acknowledge-alarm', id, by, time });
    // What is over and seen is open no more.
    const state = alarm.clearedAt === null ? 'acknowledged' : 'normal';
    return this.#find(id) ?? { ...alarm, state, acknowledgedAt: time, acknowledgedBy: by };
  }

  async shelve(id: string, { by, reason, forMs }: Shelving): Promise<AlarmRow | undefined> {
    const { clock, desk, maxShelvingMs, tell } = this.#parts;
    const alarm = this.#find(id);
    if (alarm === undefined) return undefined;
    if (forMs > maxShelvingMs) {
      throw new GatewayError(`Cannot shelve ${id} for ${forMs / 1000} s`, {
        hint: `alarms.maxShelving allows ${maxShelvingMs / 1000} s; what lasts longer is a case for the configuration`,
      });
    }
    if (desk().shelfOf(id).isFull) {
      throw new GatewayError(`Cannot shelve ${id}: too much is shelved already`, {
        hint: 'unshelve something, or leave the rule of a series out of the configuration',
      });
    }
    const time = clock.now();
    await tell({ type: 'shelve-alarm', id, by, reason, time, until: time + forMs });
    const { shelved } = desk().shelfOf(id);
    // It may have been over, and seen, before its turn came.
    if (shelved === undefined) return undefined;
    return this.#find(id) ?? { ...alarm, state: 'shelved', shelvedUntil: shelved.until };
  }

  async unshelve(id: string, by: string): Promise<AlarmRow | undefined> {
    const { clock, desk, tell } = this.#parts;
    const { shelved } = desk().shelfOf(id);
    if (shelved === undefined) return undefined;
    const known = this.alarms({ series: shelved.series, limit: Number.MAX_SAFE_INTEGER });
    await tell({ type: 'unshelve-alarm', id, by, time: clock.now() });
    return this.#find(shelved.id) ?? known.find((row) => row.id === shelved.id);
  }

  async dismiss(id: string, by: string, reason: string): Promise<AlarmRow | undefined> {
    const { clock, tell } = this.#parts;
    const alarm = this.#find(id);
    if (alarm === undefined) return undefined;
    const time = clock.now();
    await tell({ type: 'dismiss-alarm', id, by, reason, time });
    const seen = { acknowledgedAt: alarm.acknowledgedAt ?? time, acknowledgedBy: alarm.acknowledgedBy ?? by };
    return this.#find(id) ?? { ...alarm, ...seen, state: 'normal', clearedAt: alarm.clearedAt ?? time };
  }

  maintenances(): readonly MaintenanceRow[] {
    const { clock, maintenance } = this.#parts;
    return maintenance().list(clock.now());
  }

  async startMaintenance(series: string, { by, reason, forMs }: Shelving): Promise<MaintenanceRow> {
    const { clock, maxMaintenanceMs, tell } = this.#parts;
    if (forMs > maxMaintenanceMs) {
      throw new GatewayError(`Cannot start a maintenance of ${series} for ${forMs / 1000} s`, {
        hint: `alarms.maxMaintenance allows ${maxMaintenanceMs / 1000} s; what comes again is planned under maintenance`,
      });
    }
    const from = clock.now();
    const id = `${series}@${from}`;
    await tell({ type: 'start-maintenance', maintenance: { id, series, by, reason, from, until: from + forMs } });
    const row = this.maintenances().find((one) => one.id === id);
    if (row !== undefined) return row;
    throw new GatewayError(`Cannot start a maintenance of ${series}: too many are on`, { hint: 'stop one' });
  }

  async stopMaintenance(id: string, by: string): Promise<boolean> {
    if (!this.maintenances().some((one) => one.id === id)) return false;
    await this.#parts.tell({ type: 'stop-maintenance', id, by, time: this.#parts.clock.now() });
    return true;
  }

  #find(id: string): AlarmRow | undefined {
    return this.#parts.desk().find(id, this.#parts.clock.now());
  }

  /** What is open goes before what the history says of it. */
  #withHistory(open: readonly AlarmRow[], series: string | undefined, limit: number): readonly AlarmRow[] {
    const ids = new Set(open.map(({ id }) => id));
    const kept = this.#parts.history.alarms({ series, limit });
    return [...open, ...kept.filter(({ id }) => !ids.has(id))];
  }
}
