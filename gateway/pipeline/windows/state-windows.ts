import type { EpochMs } from '../../core/clock.ts';
import { GatewayError } from '../../core/errors.ts';
import { Quality } from '../../core/quality.ts';
import type { Series } from '../../core/reading.ts';
import type { Aggregate } from '../../core/result.ts';
import type { Emit } from '../../core/stage.ts';
import { listOf, numberOf } from '../snapshot.ts';
import type { Computation } from './computation.ts';
import { OrderedWindows } from './ordered-windows.ts';
import { RunningWindow } from './running-window.ts';

/**
 * What a value must be for a window to begin, and to go on.
 *
 * - `above`: begins above it, and goes on as long as the value is, or, with `until`, as it has not fallen below that;
 * - `below`: the same, the other way round;
 * - `equals`: as long as the value is that number, or that text;
 * - `unchanged`: each number begins a window, which goes on as long as the value stays the same.
 */
export type StateCondition =
  | { readonly above: number; readonly until?: number | undefined }
  | { readonly below: number; readonly until?: number | undefined }
  | { readonly equals: number | string }
  | { readonly unchanged: true };

/** Windows that last as long as a condition on the value holds. */
export interface StateShape {
  readonly while: StateCondition;
}

const WHAT = 'windows of a state';
/** What can be said of texts: how many there were, and when. */
const OF_TEXTS = ['count', 'coverage'];

/** Whether the value begins a window, and whether the window goes on that began with `first`. */
interface Judge {
  begins(value: number | string): boolean;
  goesOn(value: number | string, first: number): boolean;
}

/** @throws GatewayError for numbers and texts that are not allowed */
export function checkedState({ while: condition }: StateShape): Judge {
  if (textOfState({ while: condition }) === '') {
    throw new GatewayError('Cannot make windows of a state that is an empty text', {
      hint: 'Name the text that says the state, as in equals: running.',
    });
  }
  for (const [word, value] of Object.entries(condition)) {
    if (typeof value !== 'number' || Number.isFinite(value)) continue;
    throw new GatewayError(`Cannot make windows of a state ${word} ${value}`, { hint: 'That is a finite number.' });
  }
  if ('unchanged' in condition) return { begins: () => true, goesOn: (value, first) => value === first };
  if ('equals' in condition) {
    const { equals } = condition;
    return { begins: (value) => value === equals, goesOn: (value) => value === equals };
  }
  return 'above' in condition ? above(condition.above, condition.until) : below(condition.below, condition.until);
}

/** The text that says the state; undefined where numbers do. */
export function textOfState({ while: condition }: StateShape): string | undefined {
  return 'equals' in condition && typeof condition.equals === 'string' ? condition.equals : undefined;
}

/** @throws GatewayError for an aggregate of numbers where the state is a text */
export function requireStateAggregate(shape: StateShape, aggregate: string): void {
  const text = textOfState(shape);
  if (text === undefined || OF_TEXTS.includes(aggregate)) return;
  throw new GatewayError(`Cannot compute ${aggregate} while the value is ${JSON.stringify(text)}, which is no number`, {
    hint: `Allowed are ${OF_TEXTS.join(' and ')}; the field lasted says how long it was.`,
  });
}

function above(bound: number, until: number | undefined): Judge {
  const begins = (value: number | string) => typeof value === 'number' && value > bound;
  if (until === undefined) return { begins, goesOn: begins };
  if (until <= bound) return { begins, goesOn: (value) => typeof value === 'number' && value >= until };
  throw new GatewayError(`Cannot make windows that begin above ${bound} and last until the value is below ${until}`, {
    hint: `until is at most ${bound}: else a window would end with the reading that begins it.`,
  });
}

function below(bound: number, until: number | undefined): Judge {
  const begins = (value: number | string) => typeof value === 'number' && value < bound;
  if (until === undefined) return { begins, goesOn: begins };
  if (until >= bound) return { begins, goesOn: (value) => typeof value === 'number' && value <= until };
  throw new GatewayError(`Cannot make windows that begin below ${bound} and last until the value is above ${until}`, {
    hint: `until is at least ${bound}: else a window would end with the reading that begins it.`,
  });
}

/**
 * Windows of a state: from the first reading that is in it to the first that is no more, which does not belong to it. Readings have to come in the
 * order of event time. Those of bad quality say nothing of the state, nor do texts of one of numbers. Results have the field `lasted`, in seconds.
 */
export class StateWindows extends OrderedWindows {
  readonly #judge: Judge;
  #open: RunningWindow | undefined;
  /** The number that the open window began with. */
  #first = 0;

  constructor(definition: Computation, series: Series, shape: StateShape) {
    super(definition, series, textOfState(shape));
    this.#judge = checkedState(shape);
  }

  get isByTime(): boolean {
    return true;
  }

  get open(): readonly RunningWindow[] {
    return this.#open === undefined ? [] : [this.#open];
  }

  take(value: number | string, quality: Quality, time: EpochMs, emit: Emit): void {
    if (typeof value === 'string' && this.text === undefined) return;
    // Of a text only the time is aggregated.
    const number = typeof value === 'number' ? value : 1;
    if (quality === Quality.bad) {
      this.#open?.add(number, quality, time);
      return;
    }
    if (this.#open !== undefined && !this.#judge.goesOn(value, this.#first)) this.#close(time, emit);
    if (this.#open === undefined) {
      if (!this.#judge.begins(value)) return;
      this.#open = new RunningWindow(this.nextStart(time), this.firstRevision, this.definition);
      this.#first = number;
    }
    this.#open.add(number, quality, time);
  }

  /** What lies before the clock was set back does not go on after it. */
  override beginAnew(emit: Emit): void {
    if (this.#open !== undefined) this.#close(this.#open.end, emit);
    super.beginAnew(emit);
  }

  #close(time: EpochMs, emit: Emit): void {
    const window = this.#open;
    if (window === undefined) return;
    this.#open = undefined;
    window.endAt(time);
    this.give(window, emit);
  }

  protected override completed(result: Aggregate): Aggregate {
    const { start, end, fields } = result;
    return { ...result, fields: { ...fields, lasted: (end - start) / 1000 } };
  }

  protected snapshotOpen(): unknown {
    return [this.#first, this.open.map((window) => window.snapshot())];
  }

  protected restoreOpen(snapshot: unknown): void {
    const [first, open] = listOf(snapshot, WHAT);
    this.#first = numberOf(first, WHAT);
    const [window] = listOf(open, WHAT);
    this.#open = window === undefined ? undefined : RunningWindow.restored(window, this.definition);
  }
}
