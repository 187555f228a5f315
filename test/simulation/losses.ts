import type { Gateway } from '../../gateway/runtime/gateway.ts';
import type { Trace } from './trace.ts';

/** The row of the ledger for readings that the journal has lost. */
const JOURNAL_SOURCE = '(journal)';

/** What the processes of a gateway have told of losses, also where a later one had to begin its counts anew. */
export class Losses {
  /** A journal too small has said that it forgets what may be sent again. */
  mayCountTwice = false;
  /** It was said that no checkpoint is left that fits the journal. */
  hasLostState = false;
  readonly #last = new Map<string, number>();
  readonly #sums = new Map<string, number>();

  /** @param trace holds the log of every process */
  constructor(trace: Trace) {
    trace.listeners.push((event) => {
      this.mayCountTwice ||= event.includes('fewer redelivered readings are recognised');
      this.hasLostState ||= /the journal (begins after|ends before the checkpoint)/.test(event);
    });
  }

  /** Looks at what a gateway tells now. */
  look(gateway: Gateway): void {
    const journal = gateway.ledgerReport(0).sources.find(({ name }) => name === JOURNAL_SOURCE);
    this.#see(JOURNAL_SOURCE, journal?.dropped ?? 0);
    for (const { name, ledger } of gateway.status().sinks) this.#see(name, ledger.dropped);
  }

  /** Readings that the journal has lost. */
  get readings(): number {
    return this.#sums.get(JOURNAL_SOURCE) ?? 0;
  }

  /** Results that were lost before a sink got them. */
  resultsOf(sink: string): number {
    return this.#sums.get(sink) ?? 0;
  }

  #see(name: string, count: number): void {
    const more = count - (this.#last.get(name) ?? 0);
    this.#last.set(name, count);
    if (more > 0) this.#sums.set(name, (this.#sums.get(name) ?? 0) + more);
  }
}
