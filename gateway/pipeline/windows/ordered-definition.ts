import type { Series } from '../../core/reading.ts';
import { Computation, type ComputationSettings } from './computation.ts';
import { type CountShape, CountWindows, checkedCount } from './count-windows.ts';
import type { OrderedWindows } from './ordered-windows.ts';

/** The shape of windows that the readings themselves begin and end. */
export type OrderedShape = CountShape;

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
    this.#shape = settings.window;
  }

  /** What a snapshot of its windows depends on: with another form they cannot go on. */
  get form(): string {
    return JSON.stringify([this.name, ...formOf(this.#shape), ...this.plan.form]);
  }

  /** The windows of a series, none of them open. */
  windowsOf(series: Series): OrderedWindows {
    return new CountWindows(this, series, this.#shape);
  }

  /** Most windows of one series that are open at once. */
  get maxOpen(): number {
    const { count, every } = checkedCount(this.#shape);
    return Math.ceil(count / every);
  }
}

/** @throws GatewayError where there can be no such windows */
export function checkOrderedShape(shape: OrderedShape): void {
  checkedCount(shape);
}

function formOf(shape: OrderedShape): readonly unknown[] {
  const { count, every } = checkedCount(shape);
  return ['count', count, every];
}
