import { type Series, type SeriesIdentity, seriesKey } from '../core/reading.ts';
import { ownText } from './own-text.ts';

/** Longest name of a device, metric or tag that is taken, in UTF-16 code units. */
export const MAX_NAME_LENGTH = 256;

/**
 * Largest key of a series, in bytes of UTF-8: names may be long, or tags many, not both. A series is kept in memory, and its key goes with
 * every result.
 */
export const MAX_KEY_BYTES = 2048;

const UNFIT = /[\p{Cc}\p{Cs}\u2028\u2029\ufffe\uffff]/u;

/** All series the gateway knows, one object each, up to a bound. */
export class SeriesRegistry {
  readonly max: number;
  /** While it is set no new series is made: the sentence that says why. */
  refusal: string | undefined;
  /** Key of the first series that was refused as there is no room, and how often one was, since the registry was made. */
  firstRefused: string | undefined;
  refusedTotal = 0;
  readonly #byKey = new Map<string, Series>();
  readonly #all: Series[] = [];
  #derivedCount = 0;

  /** @param max bound on the number of series; @default 100000 */
  constructor(max = 100_000) {
    this.max = max;
  }

  /** The series of an identity, made when new; or why there is none, as a sentence for a person. */
  intern(identity: SeriesIdentity, unit?: string): Series | string {
    const unfit = unfitIdentity(identity);
    if (unfit !== undefined) return unfit;
    const key = seriesKey(identity);
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      known.unit ??= unit;
      return known;
    }
    const unfitKey = unfitLength(key);
    if (unfitKey !== undefined) return unfitKey;
    if (this.refusal !== undefined) return this.refusal;
    if (this.count >= this.max) {
      this.firstRefused ??= ownText(key);
      this.refusedTotal++;
      return `no room for another series: ${this.count} are known, the most allowed by storage.maxSeries is ${this.max}`;
    }
    return this.#add(key, identity, unit);
  }

  /**
   * The series of derived readings, made when new; or why there is none. There may be `max` of them beside the others: whether there is room for
   * one depends on the derived ones alone, which are the same in a replay.
   */
  derive(identity: SeriesIdentity, unit?: string): Series | string {
    const unfit = unfitIdentity(identity);
    if (unfit !== undefined) return unfit;
    const key = seriesKey(identity);
    const known = this.#byKey.get(key);
    if (known?.derived === true) return known;
    const unfitKey = unfitLength(key);
    if (unfitKey !== undefined) return unfitKey;
    if (this.#derivedCount >= this.max) {
      return `no room for another derived series: there are as many as storage.maxSeries allows, ${this.max}`;
    }
    const series = known ?? this.#add(key, identity, unit);
    series.unit = unit ?? series.unit;
    series.derived = true;
    this.#derivedCount++;
    return series;
  }

  /** Series that are not derived. */
  get count(): number {
    return this.#all.length - this.#derivedCount;
  }

  /** Series that are derived from others. */
  get derivedCount(): number {
    return this.#derivedCount;
  }

  /**
   * The series of an identity that an earlier process knew. It is taken beyond the bound too: one that was lowered keeps out what is new,
   * and costs no open window of what is there.
   */
  recall(identity: SeriesIdentity, unit?: string): Series {
    const key = seriesKey(identity);
    return this.#byKey.get(key) ?? this.#add(key, identity, unit);
  }

  get(key: string): Series | undefined {
    return this.#byKey.get(key);
  }

  /** Every series, by id. */
  all(): readonly Series[] {
    return this.#all;
  }

  #add(key: string, identity: SeriesIdentity, unit: string | undefined): Series {
    const series: Series = {
      id: this.#all.length,
      key: ownText(key),
      device: ownText(identity.device),
      metric: ownText(identity.metric),
      tags: ownTags(identity.tags),
      unit,
      derived: false,
    };
    this.#byKey.set(series.key, series);
    this.#all.push(series);
    return series;
  }
}

function ownTags(tags: SeriesIdentity['tags'] = {}): Series['tags'] {
  return Object.freeze(
    Object.fromEntries(Object.entries(tags).map(([name, value]) => [ownText(name), ownText(value)])),
  );
}

function unfitIdentity(identity: SeriesIdentity): string | undefined {
  const { device, metric, tags } = identity;
  const unfit = unfitName('device', device) ?? unfitName('metric', metric);
  if (unfit !== undefined || tags === undefined) return unfit;
  for (const name of Object.keys(tags)) {
    const problem = unfitName('tag name', name) ?? unfitName(`tag ${name}`, tags[name]!);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function unfitLength(key: string): string | undefined {
  const bytes = Buffer.byteLength(key);
  if (bytes <= MAX_KEY_BYTES) return undefined;
  return `device, metric and tags have ${bytes} bytes together; at most ${MAX_KEY_BYTES} are allowed`;
}

/** Why a text cannot be the name of a device, metric or tag, which `what` says, as a sentence; undefined where it can. */
export function unfitName(what: string, name: string): string | undefined {
  if (name.length === 0) return `the ${what} is empty`;
  if (name.length > MAX_NAME_LENGTH)
    return `the ${what} has ${name.length} characters; at most ${MAX_NAME_LENGTH} are allowed`;
  if (UNFIT.test(name)) return `the ${what} ${JSON.stringify(name)} has a control character or is not valid Unicode`;
  return undefined;
}
