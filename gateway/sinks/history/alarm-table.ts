import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type AlarmRow, plainState } from '../../core/alarm.ts';
import { type AlarmEvent, PRIORITIES } from '../../core/result.ts';
import type { AlarmQuery } from '../../core/sink.ts';
import type { NameTables } from './name-tables.ts';

const COLUMNS = `a.id, s.key AS series, s.device, s.metric, a.detector, a.severity, a.score, a.value, a.message,
  a.raised_at AS raisedAt, a.cleared_at AS clearedAt, a.acknowledged_at AS acknowledgedAt,
  a.acknowledged_by AS acknowledgedBy, a.priority, a.alarm_group AS "group", a.times AS count, a.suppressed`;

/**
 * Alarms: one row for each, holding the score, value and message of the moment it was raised, and the time of each later step.
 * The steps may come in any order and more than once: the first time of a step stays.
 */
export class AlarmTable {
  readonly #names: NameTables;
  readonly #raise: StatementSync;
  readonly #later: StatementSync;
  readonly #select: Record<'active' | 'all', StatementSync>;
  readonly #deleteCleared: StatementSync;

  constructor(database: DatabaseSync, names: NameTables) {
    this.#names = names;
    const insert = `INSERT INTO alarms
      (id, series, detector, severity, score, value, message, raised_at, priority, alarm_group, suppressed, times,
       cleared_at, acknowledged_at, acknowledged_by)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET`;
    this.#raise =
      database.prepare(`${insert} severity = excluded.severity, score = excluded.score, value = excluded.value,
      message = excluded.message, suppressed = excluded.suppressed`);
    this.#later = database.prepare(`${insert} cleared_at = coalesce(cleared_at, excluded.cleared_at),
      acknowledged_at = coalesce(acknowledged_at, excluded.acknowledged_at),
      acknowledged_by = coalesce(acknowledged_by, excluded.acknowledged_by), times = max(times, excluded.times)`);
    const select = (where: string) =>
      database.prepare(`SELECT ${COLUMNS} FROM alarms a JOIN series s ON s.id = a.series
        WHERE ${where} AND (?1 IS NULL OR s.key = ?1) ORDER BY a.raised_at DESC LIMIT ?2`);
    this.#select = { active: select('a.cleared_at IS NULL'), all: select('1') };
    this.#deleteCleared = database.prepare(`DELETE FROM alarms WHERE id IN
      (SELECT id FROM alarms WHERE cleared_at IS NOT NULL AND raised_at < ? ORDER BY raised_at LIMIT ?)`);
  }

  put(event: AlarmEvent): void {
    const { id, series, detector, severity, state, time, raisedAt, score, value, message } = event;
    const { priority = PRIORITIES[severity], group = null, suppressed = null, count = 1, by = null } = event;
    const statement = state === 'raised' ? this.#raise : this.#later;
    const clearedAt = state === 'cleared' ? time : null;
    const isAcknowledgement = state === 'acknowledged';
    statement.run(
      ...[id, this.#names.series(series), detector, severity, score, value, message, raisedAt],
      ...[priority, group, suppressed, count],
      ...[clearedAt, isAcknowledgement ? time : null, isAcknowledgement ? by : null],
    );
  }

  /** The newest first. */
  query({ state = 'all', series, limit }: AlarmQuery): readonly AlarmRow[] {
    return this.#select[state].all(series ?? null, limit).map((columns) => {
      const row = columns as unknown as Omit<AlarmRow, 'state' | 'shelvedUntil'>;
      return { ...row, state: plainState(row.clearedAt, row.acknowledgedAt), shelvedUntil: null };
    });
  }

  /** Deletes at most `limit` of the oldest alarms that are over and were raised before `before`; returns how many. */
  deleteCleared(limit: number, before: number): number {
    return Number(this.#deleteCleared.run(before, limit).changes);
  }
}
