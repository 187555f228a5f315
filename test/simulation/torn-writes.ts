import type { LogStatus } from '../../gateway/core/log.ts';
import type { GatewayStatus } from '../../gateway/core/view.ts';

const LOGS = ['journal', 'outbox', 'alarmOutbox'] as const;
type LogName = (typeof LOGS)[number];

/**
 * What was not durable when the power was cut. Of several such records an earlier one may be torn and a later one whole: then the gap counts as
 * damage, though nobody was promised what is missing.
 */
export class TornWrites {
  /** Items of each log when all of it was seen to be durable the last time. */
  readonly #durable = new Map<LogName, number>();
  /** Items that a process which has ended left in the memory of the system alone. */
  readonly #left = new Map<LogName, number>();
  readonly #torn = new Map<LogName, number>();

  /** Looks at a gateway that runs. */
  look(status: GatewayStatus): void {
    for (const name of LOGS) {
      if (!isDurable(status[name])) continue;
      this.#durable.set(name, status[name].appendedItems);
      this.#left.delete(name);
    }
  }

  /** The process ends just now, and the power may go with it. */
  end(status: GatewayStatus, losesPower: boolean): void {
    for (const name of LOGS) {
      if (isDurable(status[name])) continue;
      const items = status[name].appendedItems - (this.#durable.get(name) ?? 0);
      this.#left.set(name, (this.#left.get(name) ?? 0) + Math.max(0, items));
    }
    if (!losesPower) return;
    for (const [name, items] of this.#left) this.#torn.set(name, this.itemsOf(name) + items);
    this.#left.clear();
  }

  /** So many items of a log may count as damaged, at the most. */
  itemsOf(name: LogName): number {
    return this.#torn.get(name) ?? 0;
  }
}

function isDurable({ durableOffset, nextOffset }: LogStatus): boolean {
  return durableOffset === nextOffset;
}
