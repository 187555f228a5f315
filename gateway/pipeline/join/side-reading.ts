import type { Quality } from '../../core/quality.ts';
import { listOf, numberOf } from '../snapshot.ts';
import type { JoinedSeries } from './joined-series.ts';
import type { SideReading } from './matcher.ts';

const WHAT = 'a reading that a join holds';

/** A reading as plain data, its series by its place. */
export function snapshotReading({ of, time, value, quality, stamped }: SideReading): unknown {
  return [of.place, time, value, quality, stamped];
}

/** Reads it back. @throws GatewayError where it is none */
export function restoredReading(snapshot: unknown, at: (place: unknown) => JoinedSeries): SideReading {
  const [place, time, value, quality, stamped] = listOf(snapshot, WHAT);
  return {
    of: at(place),
    time: numberOf(time, WHAT),
    value: numberOf(value, WHAT),
    quality: numberOf(quality, WHAT) as Quality,
    stamped: stamped === true,
  };
}
