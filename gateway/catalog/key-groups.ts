import type { Configuration } from '../../config/configuration.ts';
import { deviceKey, type SeriesIdentity } from '../core/reading.ts';

/**
 * Into so many groups of keys the series of a recording are divided, however many workers there are: what crosses series within a group does
 * the same then whoever analyses it.
 */
export const KEY_GROUPS = 64;

/** How the series of a pipeline may be divided, without changing any result. */
export interface Division {
  /** Series with the same key belong together: something in the pipeline sees them as one. */
  keyOf(series: SeriesIdentity): string;
  /** Why nothing can be divided, as a sentence for a person; undefined where it can. */
  readonly undivided: string | undefined;
}

/**
 * What belongs together, as configured. The series of one device do: they have one watermark. Windows, reduction, detectors and derivations look
 * at one series each, and derive none of another device. A join on the device looks at one device; what else it may be on binds series of
 * several.
 */
export function divisionOf({ join }: Configuration): Division {
  const across = join.find(({ on }) => !on.includes('device'));
  const undivided =
    across === undefined
      ? undefined
      : `the join ${across.name} is on ${across.on.join(', ')}: it may bind series of any devices, as it is not on device`;
  return { keyOf: deviceKey, undivided };
}
