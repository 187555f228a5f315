import type { Series } from '../../core/reading.ts';
import { Computation, type ComputationSettings } from './computation.ts';
import { type CountShape, CountWindows, checkedCount } from './count-windows.ts';
import type { OrderedWindows } from './ordered-windows.ts';
import type { ReadingTally } from './reading-queue.ts';
import { checkedSliding, type SlidingShape, SlidingWindows } from './sliding-windows.ts';
import { checkedState, requireStateAggregate, type StateShape, StateWindows } from './state-windows.ts';

/** The shape of windows that the readings themselves begin and end. */
export type OrderedShape = CountShape | StateShape | SlidingShape;

/** Whether the shape of a window is one of these; every other ends because time passes. */
export function isOrderedShape<Other extends object>(shape: OrderedShape | Other): shape is OrderedShape {
  return 'count' in shape || 'while' in shape || 'slidingMs' in shape;
}

/** Such windows as the configuration defines them. */
export interface OrderedSettings extends ComputationSettings {
  readonly window: OrderedShape;
}

/** Their settings, checked and made ready. */
export class OrderedDefinition extends Computation {
  readonly #shape: OrderedShape;

  /** @throws GatewayError for settings that are not allowed */
  constructor(settings: OrderedSettings) {
    super(settings);
    checkOrderedShape(settings.window);
    for (const name of settings.aggregates) requireOrderedAggregate(settings.window, name);
    this.#shape = settings.window;
  }

  /** What a snapshot of its windows depends on: with another form they cannot go on. */
  get form(): string {
    return JSON.stringify([this.name, ...formOf(this.#shape), ...this.plan.form]);
  }

  /**
   * The windows of a series, none of them open.
   *
   * @param tally of the readings that sliding windows hold
   */
  windowsOf(series: Series, tally: ReadingTally): OrderedWindows {
    const shape = this.#shape;
    if ('slidingMs' in shape) return new SlidingWindows(this, series, shape, tally);
    return 'while' in shape ? new StateWindows(this, series, shape) : new CountWindows(this, series, shape);
  }

  get isSliding(): boolean {
    return 'slidingMs' in this.#shape;
  }

  /** Most windows of one series that are open at once. */
  get maxOpen(): number {
    if ('slidingMs' in this.#shape) return 0;
    if ('while' in this.#shape) return 1;
    const { count, every } = checkedCount(this.#shape);
    return Math.ceil(count / every);
  }
}

/** @throws GatewayError where there can be no such windows */
export function checkOrderedShape(shape: OrderedShape): void {
  if ('slidingMs' in shape) checkedSliding(shape);
  else if ('while' in shape) checkedState(shape);
  else checkedCount(shape);
}

/** @throws GatewayError for an aggregate that windows of this shape cannot have */
export function requireOrderedAggregate(shape: OrderedShape, aggregate: string): void {
  if ('while' in shape) requireStateAggregate(shape, aggregate);
}

function formOf(shape: OrderedShape): readonly unknown[] {
  if ('slidingMs' in shape) return ['sliding', checkedSliding(shape)];
  if ('while' in shape) return ['while', ...Object.entries(shape.while).sort(([a], [b]) => (a < b ? -1 : 1))];
  const { count, every } = checkedCount(shape);
  return ['count', count, every];
}
