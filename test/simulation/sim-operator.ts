import { type AlarmRow, plainState } from '../../gateway/core/alarm.ts';
import type { EpochMs } from '../../gateway/core/clock.ts';
import { messageOf } from '../../gateway/core/errors.ts';
import type { AlarmEvent } from '../../gateway/core/result.ts';
import type { History } from '../../gateway/core/sink.ts';
import type { Life } from './life.ts';
import type { SimBox } from './sim-box.ts';
import type { SimStore } from './sim-store.ts';
import type { Trace } from './trace.ts';

/** For how long every third alarm that is acknowledged is shelved, too. */
const SHELVED_MS = 20_000;

/** A person who looks at the open alarms now and then, acknowledges one, and shelves some. */
export class SimOperator {
  readonly #random: () => number;
  readonly #box: SimBox;
  readonly #store: SimStore;
  readonly #trace: Trace;
  /** Alarms that were to be acknowledged, whatever came of it. */
  readonly asked = new Set<string>();
  /** Those for which the answer came, and when by a clock that is right. */
  readonly answered = new Map<string, EpochMs>();

  /** Those that are shelved by the word of the gateway. */
  readonly shelved = new Set<string>();

  /** @param store what the history is made of */
  constructor(store: SimStore, parts: { box: SimBox; random: () => number; trace: Trace }) {
    this.#store = store;
    this.#box = parts.box;
    this.#random = parts.random;
    this.#trace = parts.trace;
  }

  /** What the gateway shows of the past. */
  readonly history: History = {
    aggregates: () => [],
    alarms: () => this.#rows(),
  };

  /** Acknowledges one of the open alarms that nobody has, if there is any. @param answered called when the gateway says that it is done */
  acknowledge(life: Life, answered: () => void): void {
    const rows = life.gateway.operations.alarms({ limit: 1_000, state: 'open' });
    const open = rows.filter(({ acknowledgedAt }) => acknowledgedAt === null);
    const row = open[Math.floor(this.#random() * open.length)];
    if (row === undefined) return;
    this.#trace.add(`acknowledge ${row.id}`);
    this.asked.add(row.id);
    life.gateway.operations.acknowledge(row.id, 'operator').then(
      (answer) => {
        // A dead process answers nobody.
        if (life.isOver || answer?.acknowledgedAt === null) return;
        this.answered.set(row.id, this.#box.trueTime);
        this.#trace.add(`acknowledged ${row.id}`);
        if (this.answered.size % 3 === 0) this.#shelve(life, row.id);
        answered();
      },
      (error: unknown) => this.#trace.add(`not acknowledged: ${messageOf(error)}`),
    );
  }

  #shelve(life: Life, id: string): void {
    this.#trace.add(`shelve ${id}`);
    life.gateway.operations.shelve(id, { by: 'operator', reason: 'a loose wire', forMs: SHELVED_MS }).then(
      (answer) => {
        if (life.isOver || answer === undefined) return;
        this.shelved.add(id);
        this.#trace.add(`shelved ${id}`);
      },
      (error: unknown) => this.#trace.add(`not shelved: ${messageOf(error)}`),
    );
  }

  #rows(): readonly AlarmRow[] {
    const { stored } = this.#store;
    const timeOf = (id: string, state: AlarmEvent['state']) => {
      const step = stored.get(`${id}@${state}`);
      return step?.kind === 'alarm' ? step.time : null;
    };
    return [...stored.values()]
      .filter((result) => result.kind === 'alarm' && result.state === 'raised')
      .map((raised) => {
        const { id, series, detector, severity, score, value, message, raisedAt } = raised as AlarmEvent;
        const { key, device, metric } = series;
        const [clearedAt, acknowledgedAt] = [timeOf(id, 'cleared'), timeOf(id, 'acknowledged')];
        const words = { id, series: key, device, metric, detector, severity, score, value, message };
        const marks = {
          priority: 1,
          group: null,
          count: 1,
          suppressed: null,
          shelvedUntil: null,
          acknowledgedBy: null,
        };
        const state = plainState(clearedAt, acknowledgedAt);
        return { ...words, ...marks, raisedAt, clearedAt, acknowledgedAt, state };
      });
  }
}
