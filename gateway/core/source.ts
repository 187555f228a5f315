import type { ComponentState, Lifecycle } from './lifecycle.ts';
import type { Bound } from './memory.ts';

/** Where readings come from. Made with the `Intake` that it feeds. */
export interface Source extends Lifecycle {
  readonly name: string;
  readonly type: string;
  status(): SourceStatus;
}

/** How a source stands just now. */
export interface SourceStatus {
  readonly state: ComponentState;
  /** One sentence for a person: what it is doing, or what is wrong and how to mend it. */
  readonly detail: string;
  /** Connected clients, monitored items …: numbers worth showing, by name. */
  readonly numbers: Readonly<Record<string, number>>;
  /** What it holds in memory, and the most it can. */
  readonly bounds?: readonly Bound[];
}
