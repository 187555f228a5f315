import type { Configuration } from '../../config/configuration.ts';
import type { TogetherConfiguration } from '../../config/detect-configuration.ts';
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
 * at one series each, and derive none of another device. A join on the device looks at one device, and so does a detector of series of one
 * device; what else they may be on binds series of several.
 */
export function divisionOf({ join, together }: Configuration): Division {
  const across = join.find(({ on }) => !on.includes('device'));
  if (across !== undefined) {
    const why = `the join ${across.name} is on ${across.on.join(', ')}: it may bind series of any devices, as it is not on device`;
    return { keyOf: deviceKey, undivided: why };
  }
  const group = together.find((rule) => !isOfOneDevice(rule));
  const undivided =
    group === undefined ? undefined : `${group.together.join(', ')} are judged together, and may be of several devices`;
  return { keyOf: deviceKey, undivided };
}

function isOfOneDevice({ together, on }: TogetherConfiguration): boolean {
  if (on.includes('device')) return true;
  const devices = new Set(together.map((pattern) => pattern.slice(0, Math.max(0, pattern.lastIndexOf('/')))));
  return devices.size === 1 && !/[*]|^$/.test([...devices][0]!);
}
