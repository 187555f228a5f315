import { GatewayError } from '../../core/errors.ts';
import type { Series } from '../../core/reading.ts';

/**
 * The series that a snapshot of windows names.
 *
 * @throws GatewayError where there is none of this key
 */
export function knownSeries(find: (key: string) => Series | undefined, key: string): Series {
  const series = find(key);
  if (series !== undefined) return series;
  throw new GatewayError(`Cannot restore the windows of ${key}: there is no such series`, {
    hint: 'Series are restored before the windows; the checkpoint is incomplete.',
  });
}
