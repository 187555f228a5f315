import type { Due } from '../../base/deadline-queue.ts';
import type { EpochMs } from '../../core/clock.ts';
import type { Quality } from '../../core/quality.ts';
import type { Reading, Series, Value } from '../../core/reading.ts';
import { listOf, numberOf, numbersOf, textOf, unreadable } from '../snapshot.ts';
import type { ReductionRule } from './reduction-rule.ts';
import { SwingingDoor } from './swinging-door.ts';

/** What a reduction knows of a series: the last reading that went on and, with a swinging door, the one that waits. */
export class ReducedSeries implements Due {
  readonly series: Series;
  readonly rule: ReductionRule;
  readonly door: SwingingDoor | undefined;
  /** When to look whether what waits goes on: never later than when it does. */
  due: EpochMs = Number.POSITIVE_INFINITY;
  /** Of the last reading that went on: its event time, its value (of a text its `shortText`) and quality, and the receive time at which it did. */
  time: EpochMs = Number.NaN;
  value: Value = 0;
  quality: Quality = 0;
  passedAt: EpochMs = Number.NEGATIVE_INFINITY;
  /** The newest reading, which has neither gone on nor been left out. */
  held: Reading | undefined;

  constructor(series: Series, rule: ReductionRule) {
    this.series = series;
    this.rule = rule;
    this.door = rule.deviation === undefined ? undefined : new SwingingDoor(rule.deviation);
  }

  get order(): number {
    return this.series.id;
  }

  snapshot(): unknown {
    const { series, time, value, quality, passedAt, held, door } = this;
    return [series.key, time, value, quality, passedAt, door?.snapshot(), held === undefined ? undefined : pack(held)];
  }

  /** @throws GatewayError where it cannot be read */
  restore(snapshot: unknown): void {
    // An earlier release had no doors, and no more than four entries.
    const [, time, value, quality, passedAt = Number.NEGATIVE_INFINITY, door, held] = listOf(snapshot, WHAT);
    this.time = numberOf(time, WHAT);
    this.value = valueIn(value);
    this.quality = numberOf(quality, WHAT) as Quality;
    this.passedAt = numberOf(passedAt, WHAT);
    if (held !== undefined) this.held = unpack(held, this.series);
    if (this.door === undefined || typeof this.value !== 'number') return;
    if (door === undefined) this.door.open(this.time, this.value);
    else this.door.restore(numbersOf(door, 4, WHAT));
  }
}

/** What a snapshot is called that cannot be read. */
export const WHAT = 'what has been reduced';

function pack({ source, value, quality, sourceTime, receiveTime, stamped }: Reading): readonly unknown[] {
  return [source, value, quality, sourceTime, receiveTime, stamped === true];
}

function unpack(packed: unknown, series: Series): Reading {
  const [source, value, quality, sourceTime, receiveTime, stamped] = listOf(packed, WHAT);
  return {
    series,
    source: textOf(source, WHAT),
    value: valueIn(value),
    quality: numberOf(quality, WHAT) as Quality,
    sourceTime: numberOf(sourceTime, WHAT),
    receiveTime: numberOf(receiveTime, WHAT),
    stamped: stamped === true,
  };
}

function valueIn(value: unknown): Value {
  if (typeof value !== 'number' && typeof value !== 'boolean' && typeof value !== 'string')
    throw unreadable(WHAT, value);
  return value;
}
