import { GatewayError } from '../../core/errors.ts';
import type { Series } from '../../core/reading.ts';
import type { WatermarkOptions } from '../watermark.ts';
import type { RollupSettings } from './rollup-settings.ts';
import type { WindowSettings } from './window-definition.ts';

/** A late reading's correction waits this long in receive time for others to the same window. */
export const DEFAULT_CORRECTION_DELAY_MS = 1000;

/** Windows of all series that are open at once: at 200 bytes and more each, some hundred megabytes. */
export const DEFAULT_MAX_OPEN_WINDOWS = 500_000;

/** What the window stage is told. */
export interface WindowStageOptions {
  readonly windows: readonly WindowSettings[];
  /** @default none */
  readonly rollups?: readonly RollupSettings[];
  readonly time: WatermarkOptions & {
    /** How long corrections are gathered, in milliseconds of receive time. @default 1000 */
    readonly correctionDelayMs?: number;
  };
  /** Finds the series of a snapshot again. */
  readonly findSeries: (key: string) => Series | undefined;
  /** Windows of all series that are open at once, beyond one of each series and definition. @default 500000 */
  readonly maxOpenWindows?: number;
}

/** Options with every default in its place. */
export interface WindowTiming extends WatermarkOptions {
  readonly maxOutOfOrdernessMs: number;
  readonly correctionDelayMs: number;
}

/**
 * Checks the options and fills in the defaults of their times.
 *
 * @throws GatewayError for a time that is out of its range, or a name that is given twice
 */
export function checkedTiming({ windows, rollups = [], time }: WindowStageOptions): WindowTiming {
  const { outOfOrdernessMs, maxOutOfOrdernessMs = outOfOrdernessMs, idleTimeoutMs } = time;
  const { correctionDelayMs = DEFAULT_CORRECTION_DELAY_MS } = time;
  requireMs('time.outOfOrderness', outOfOrdernessMs, 0);
  requireMs('time.maxOutOfOrderness', maxOutOfOrdernessMs, outOfOrdernessMs);
  requireMs('time.idleTimeout', idleTimeoutMs, 1);
  requireMs('time.correctionDelay', correctionDelayMs, 1);
  requireUniqueNames([...windows, ...rollups]);
  return { outOfOrdernessMs, maxOutOfOrdernessMs, idleTimeoutMs, correctionDelayMs };
}

function requireMs(name: string, value: number, least: number): void {
  if (Number.isFinite(value) && value >= least) return;
  throw new GatewayError(`Cannot compute windows: ${name} is ${value} ms`, {
    hint: `${name} is a finite number of milliseconds, at least ${least}.`,
  });
}

function requireUniqueNames(windows: readonly { readonly name: string }[]): void {
  const seen = new Set<string>();
  for (const { name } of windows) {
    if (seen.has(name)) {
      throw new GatewayError(`Cannot compute windows: the name ${JSON.stringify(name)} is given twice`, {
        hint: 'Each window needs a name of its own, as results are known by it.',
      });
    }
    seen.add(name);
  }
}
