import { GatewayError } from '../../core/errors.ts';
import { type RollupShape, requireNesting } from './nesting.ts';
import { WindowDefinition, type WindowSettings } from './window-definition.ts';

/** Windows that are made of others by merging what those hold, as the configuration defines them. */
export interface RollupSettings {
  /** Unique among all windows and rollups; part of the identity of results. */
  readonly name: string;
  /** The name of the windows, or of the rollup, that it is made from. It means the same series, allows as much lateness, and stores what comes too late where that does. */
  readonly from: string;
  readonly window: RollupShape;
  /** What can be had by merging: see `AggregatePlan.mergeable`. @default what is asked for there */
  readonly aggregates?: readonly string[] | undefined;
  /** See `WindowSettings`. */
  readonly earlyMs?: number | undefined;
}

/**
 * The definitions of all windows, and of what is made from them: each after the one it is made from.
 *
 * @throws GatewayError for settings that are not allowed
 */
export function defineWindows(
  windows: readonly WindowSettings[],
  rollups: readonly RollupSettings[],
  outOfOrdernessMs: number,
): readonly WindowDefinition[] {
  const definitions = windows.map((settings) => new WindowDefinition(settings, outOfOrdernessMs));
  const shapes = new Map<string, object>([...windows, ...rollups].map(({ name, window }) => [name, window]));
  let left = rollups;
  while (left.length > 0) {
    const later: RollupSettings[] = [];
    for (const rollup of left) {
      const from = definitions.find(({ name }) => name === rollup.from);
      if (from === undefined) {
        later.push(rollup);
        continue;
      }
      requireNesting(shapes.get(rollup.from) ?? {}, rollup.window);
      definitions.push(define(rollup, from, outOfOrdernessMs));
    }
    if (later.length === left.length) throw withoutOrigin(later[0]!, definitions);
    left = later;
  }
  return definitions;
}

function define(settings: RollupSettings, from: WindowDefinition, outOfOrdernessMs: number): WindowDefinition {
  const { name, window, aggregates = from.plan.names, earlyMs } = settings;
  const { series, latenessMs } = from;
  const shape = { ...window, allowedLatenessMs: latenessMs };
  const late = from.storesLate ? 'store' : 'count';
  return new WindowDefinition({ name, series, window: shape, aggregates, earlyMs, late }, outOfOrdernessMs, from);
}

function withoutOrigin({ name, from }: RollupSettings, definitions: readonly WindowDefinition[]): GatewayError {
  return new GatewayError(`Cannot make ${JSON.stringify(name)} from ${JSON.stringify(from)}`, {
    hint: `A rollup is made from a window, or from a rollup that is not made from it: ${definitions.map((one) => one.name).join(', ')}.`,
  });
}
