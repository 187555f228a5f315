import type { EpochMs } from './clock.ts';
import type { Quality } from './quality.ts';

/** What a sensor can say. Numbers are finite: NaN and infinities are rejected before a reading is made. */
export type Value = number | boolean | string;

/** What windows and expressions take a value for: a boolean is 0 or 1. A text has no number. */
export function asNumber(value: number | boolean): number {
  return typeof value === 'number' ? value : value ? 1 : 0;
}

/** What makes a series the one it is: two readings with an equal identity belong to one series. */
export interface SeriesIdentity {
  /** The thing that measures, for example `press-1`. */
  readonly device: string;
  /** What it measures, for example `oil_temperature`. */
  readonly metric: string;
  /** Further tags from a topic or a configuration, `site` among them; part of the identity. */
  readonly tags?: Readonly<Record<string, string>>;
}

/** A stream of readings from one metric of one device. One object for each identity: compare with `===`. */
export interface Series {
  /** Dense number, given in order of appearance; for array-indexed state. Not stable across restarts: never store it. */
  readonly id: number;
  /** Stable and unique: `[site/]device/metric[;tag=value…]`; `/ ; = %` inside a name are percent-encoded. See `seriesKey`. */
  readonly key: string;
  readonly device: string;
  readonly metric: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Unit of measure as configured, for example `°C`. */
  unit: string | undefined;
  /** Its readings are derived from those of other series: it is as far in time as they let it, not as its device is. */
  derived?: boolean;
}

/** A value, how far to trust it, and when it was measured and received. */
export interface Reading {
  readonly series: Series;
  /** Name of the source that brought it. */
  readonly source: string;
  readonly value: Value;
  readonly quality: Quality;
  /** Event time: when the source says it measured; the receive time where the source does not say. */
  readonly sourceTime: EpochMs;
  /** Ingestion time: when the gateway received it. */
  readonly receiveTime: EpochMs;
  /** It has no time of its own: the source time is that of receiving it. One that has may bring that very millisecond. */
  readonly stamped?: boolean;
  /** Its source time is too far ahead to be believed: the analysis takes the receive time instead. Kept, as a redelivery is known by it. */
  readonly ahead?: boolean;
  /** It has no time of its own, and the gateway did not know the time: both times are estimates. */
  readonly provisional?: boolean;
}

/** The stable key of a series: site, device and metric as a path, then the other tags in order of their names. */
export function seriesKey(identity: SeriesIdentity): string {
  const { metric, tags } = identity;
  let key = `${deviceKey(identity)}/${encodePart(metric)}`;
  if (tags === undefined) return key;
  for (const name of Object.keys(tags).sort()) {
    if (name !== 'site') key += `;${encodePart(name)}=${encodePart(tags[name]!)}`;
  }
  return key;
}

/** The thing that a series belongs to, as the beginning of its key: `[site/]device`. */
export function deviceKey({ device, tags }: SeriesIdentity): string {
  if (tags === undefined || !Object.hasOwn(tags, 'site')) return encodePart(device);
  return `${encodePart(tags['site']!)}/${encodePart(device)}`;
}

function encodePart(part: string): string {
  return /[/;=%]/.test(part) ? part.replace(/[/;=%]/g, encodeURIComponent) : part;
}
