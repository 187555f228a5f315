import type { Report } from './report.ts';
import { formatDuration } from './units.ts';

/** The bounds of a file, in milliseconds; a part that is missing is not given, or was invalid, and that has been told. */
export interface PartlyDisorder {
  readonly outOfOrderness?: number | undefined;
  readonly maxOutOfOrderness?: number | undefined;
}

/**
 * Checks the two bounds on disorder against each other.
 *
 * @returns the most that may be allowed to a device, in milliseconds; undefined where nothing valid is given
 */
export function checkDisorder(
  { outOfOrderness, maxOutOfOrderness }: PartlyDisorder,
  report: Report,
): number | undefined {
  if (outOfOrderness === undefined || maxOutOfOrderness === undefined) return maxOutOfOrderness ?? outOfOrderness;
  if (maxOutOfOrderness < outOfOrderness) {
    report(
      'time.maxOutOfOrderness',
      `it is ${formatDuration(maxOutOfOrderness)}, less than time.outOfOrderness, which is allowed in any case: ${formatDuration(outOfOrderness)}`,
      `at least ${formatDuration(outOfOrderness)}`,
    );
  }
  return Math.max(outOfOrderness, maxOutOfOrderness);
}
