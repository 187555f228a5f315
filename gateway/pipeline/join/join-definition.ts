import { type SeriesPattern, seriesPattern } from '../../base/series-pattern.ts';
import { GatewayError } from '../../core/errors.ts';
import { deviceKey, type Series } from '../../core/reading.ts';
import { compiled } from '../derive/derivation.ts';
import type { Expression, Names } from '../derive/expression.ts';

/** What one side of a window join comes to in a window; or every pair is taken, of readings as they are. */
export const JOIN_AGGREGATES = ['mean', 'sum', 'min', 'max', 'first', 'last', 'count', 'pairs'] as const;
/** One of `JOIN_AGGREGATES`. */
export type JoinAggregate = (typeof JOIN_AGGREGATES)[number];
/** One that makes one number of the readings of a side. */
export type SideAggregate = Exclude<JoinAggregate, 'pairs'>;

/**
 * Which readings of the two sides belong together: all that are no further apart than `withinMs`; each of the left with the last of the right,
 * at most `asOfMs` older; or what the sides come to in the same window of `tumblingMs`, or all pairs in it.
 */
export type JoinKind =
  | { readonly withinMs: number }
  | { readonly asOfMs: number }
  | { readonly tumblingMs: number; readonly aggregate: JoinAggregate };

/** A series computed from two others. */
export interface JoinSettings {
  /** Unique among all joins. */
  readonly name: string;
  /** Patterns of the series of the two sides: see `seriesPattern`. */
  readonly left: string;
  readonly right: string;
  /** What is equal in the two: `device` (with its site), or names of tags. */
  readonly on: readonly string[];
  readonly kind: JoinKind;
  /** How long a side that brings nothing newer is waited for, in milliseconds of receive time. */
  readonly waitMs: number;
  /** How far readings of one series may be out of order, in milliseconds of event time. */
  readonly outOfOrdernessMs: number;
  /** See `WatermarkOptions`. */
  readonly maxOutOfOrdernessMs?: number | undefined;
  /** Metric of the derived series; device and tags are those of the left one. */
  readonly metric: string;
  readonly unit?: string | undefined;
  /** See `Expression`; the names are `JOIN_NAMES`. */
  readonly value: string;
}

/** What the expression of a join may name: the two numbers, and what the left series is called. */
export const JOIN_NAMES: Names = {
  left: 'double',
  right: 'double',
  device: 'string',
  tags: 'map<string, string>',
};

/** Join settings, checked and made ready. */
export class JoinDefinition {
  readonly source: string;
  readonly settings: JoinSettings;
  readonly expression: Expression;
  readonly isLeft: SeriesPattern;
  readonly isRight: SeriesPattern;

  /**
   * @param tables what the expression may name of tables
   * @throws GatewayError for settings that are not allowed
   */
  constructor(settings: JoinSettings, tables: Names) {
    checkJoin(settings);
    this.source = `join:${settings.name}`;
    this.settings = settings;
    this.expression = compiled(settings.value, { ...JOIN_NAMES, ...tables }, this.source);
    this.isLeft = seriesPattern(settings.left);
    this.isRight = seriesPattern(settings.right);
  }

  /** What a snapshot depends on: with another form it cannot go on. */
  get form(): string {
    const { left, right, on, kind } = this.settings;
    return JSON.stringify([left, right, on, kind]);
  }

  /** What is equal in all series that are joined with this one; a sentence where it has not what `on` names. */
  keyOf(series: Series): { readonly key: string } | string {
    const { on } = this.settings;
    const missing = on.find((name) => name !== 'device' && !Object.hasOwn(series.tags, name));
    if (missing !== undefined) return `${series.key} has no tag ${missing}, which the join is on`;
    // Names have no control characters, so the parts cannot run together.
    return { key: on.map((name) => (name === 'device' ? deviceKey(series) : series.tags[name])).join('\n') };
  }
}

/**
 * Checks what two keys of a join have to do with each other, and its times.
 *
 * @throws GatewayError for settings that are not allowed
 */
export function checkJoin(settings: Pick<JoinSettings, 'name' | 'left' | 'right' | 'on' | 'kind'>): void {
  const { name, left, right, on, kind } = settings;
  if (left === right) {
    throw new GatewayError(`Cannot join ${name}: both sides are ${left}`, {
      hint: 'A series is not joined with itself.',
    });
  }
  if (on.length === 0) {
    throw new GatewayError(`Cannot join ${name}: nothing says which series belong together`, {
      hint: 'on is device, or the name of a tag, or a list of these.',
    });
  }
  const twice = on.find((one, index) => on.indexOf(one) !== index);
  if (twice !== undefined)
    throw new GatewayError(`Cannot join ${name}: on names ${twice} twice`, { hint: 'Leave one out.' });
  const ms = 'withinMs' in kind ? kind.withinMs : 'asOfMs' in kind ? kind.asOfMs : kind.tumblingMs;
  const least = 'tumblingMs' in kind ? 1 : 0;
  if (ms >= least && Number.isFinite(ms)) return;
  throw new GatewayError(`Cannot join ${name} over ${ms} ms`, {
    hint: `That is a finite number of milliseconds, at least ${least}.`,
  });
}
