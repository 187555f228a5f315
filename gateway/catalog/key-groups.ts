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
 * What belongs together, as configured. The series of one device do: they have one watermark. Windows, reduction and detectors look at one
 * series each. What binds series of several devices has to say so here.
 */
export function divisionOf(_configuration: Configuration): Division {
  return { keyOf: deviceKey, undivided: undefined };
}
