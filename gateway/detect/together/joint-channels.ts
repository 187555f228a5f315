import { lastValue, learnStep, ROUNDING, smallestStep } from '../learning/smallest-step.ts';

/**
 * What is known of each of several channels by itself, in one array, channel by channel. Values are measured from the first one of their channel in
 * units of its first change, so that unit, offset and sign make no difference, and squares stay finite.
 */

/** Numbers that a channel takes. */
export const CHANNEL_NUMBERS = 10;

// Places of the numbers, from where the channel's begin.
const SEEN = 0;
const ORIGIN = 1;
const UNIT = 2;
const SMOOTHED = 3;
const LEVEL = 4;
const RECENT = 5;
const NOISE = 6;
/** The reading at hand, as far from the level as one may be. */
const BOUNDED = 7;
const STEP = 8;

/** Values are kept at an eighth, so that no difference of finite numbers overflows. */
const SCALE = 1 / 8;
/** Beyond this a value is as far away as can be: its square is finite. */
const FURTHEST = 1e100;
/** Readings that the mean goes over from which noise is measured: drift within them is small beside it. */
const RECENT_READINGS = 50;

/** How many readings of the channel were learnt; lowered where it begins to learn anew. */
export function seenOf(channels: Float64Array, at: number): number {
  return channels[at + SEEN]!;
}

/** Lets the channel begin anew from what it says now, as if it had seen so few readings. */
export function beginAnew(channels: Float64Array, at: number, seen: number): void {
  const now = lastValue(channels, at + STEP);
  channels[at + SEEN] = Math.min(channels[at + SEEN]!, seen);
  channels[at + SMOOTHED] = now;
  channels[at + LEVEL] = now;
  channels[at + RECENT] = now;
}

/**
 * Takes a reading in and answers how far the moving average of the last `smooth` is from the level that is normal.
 *
 * @param furthest a reading further from the level counts as that far: a wild one is soon forgotten
 */
export function smoothedOffset(
  channels: Float64Array,
  at: number,
  value: number,
  smooth: number,
  furthest: number,
): number {
  const own = ownValue(channels, at, value);
  const seen = channels[at + SEEN]! + 1;
  channels[at + SEEN] = seen;
  if (seen === 1) {
    channels[at + SMOOTHED] = own;
    channels[at + LEVEL] = own;
    channels[at + RECENT] = own;
  }
  learnStep(channels, at + STEP, own, seen === 1);
  const level = channels[at + LEVEL]!;
  const bounded = Math.max(level - furthest, Math.min(level + furthest, own));
  channels[at + BOUNDED] = bounded;
  channels[at + SMOOTHED]! += (bounded - channels[at + SMOOTHED]!) / Math.min(smooth, seen);
  return channels[at + SMOOTHED]! - level;
}

/** Learns from the reading at hand how much the channel moves from one to the next; for every one that is normal. */
export function learnNoise(channels: Float64Array, at: number, memory: number): void {
  const offset = channels[at + BOUNDED]! - channels[at + RECENT]!;
  channels[at + NOISE]! += (offset * offset - channels[at + NOISE]!) / Math.min(memory, channels[at + SEEN]!);
}

/** Ends a reading: it is one of the recent ones. */
export function passReading(channels: Float64Array, at: number): void {
  const offset = channels[at + BOUNDED]! - channels[at + RECENT]!;
  channels[at + RECENT]! += offset / Math.min(RECENT_READINGS, channels[at + SEEN]!);
}

/** The variance of the moving average that noise alone would give it. */
export function noiseOfAverage(channels: Float64Array, at: number, smooth: number): number {
  return channels[at + NOISE]! / (2 * smooth - 1);
}

/** How much of what the channel does is wandering, not noise: 0 to 1. `variance` is that of its smoothed offset. */
export function wanderOf(channels: Float64Array, at: number, variance: number, smooth: number): number {
  const drift = Math.max(0, variance - noiseOfAverage(channels, at, smooth));
  return drift > 0 ? drift / (drift + channels[at + NOISE]!) : 0;
}

/** The smallest step that the channel ever made, 0 before the first. */
export function resolutionOf(channels: Float64Array, at: number): number {
  return smallestStep(channels, at + STEP);
}

/** Moves the level that is normal. */
export function moveLevel(channels: Float64Array, at: number, by: number): void {
  channels[at + LEVEL]! += by;
}

/** The moving average plus `offset`, in the unit of the series. */
export function averageInUnits(channels: Float64Array, at: number, offset: number): number {
  return inUnits(channels, at, channels[at + SMOOTHED]! + offset);
}

/** The last reading, in the unit of the series. */
export function lastInUnits(channels: Float64Array, at: number): number {
  return inUnits(channels, at, lastValue(channels, at + STEP));
}

function inUnits(channels: Float64Array, at: number, own: number): number {
  const value = (channels[at + ORIGIN]! + own * channels[at + UNIT]!) / SCALE;
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));
}

function ownValue(channels: Float64Array, at: number, value: number): number {
  const scaled = value * SCALE;
  if (channels[at + SEEN] === 0) channels[at + ORIGIN] = scaled;
  const offset = scaled - channels[at + ORIGIN]!;
  if (channels[at + UNIT] === 0) {
    if (Math.abs(offset) <= Math.abs(scaled) * ROUNDING) return 0;
    channels[at + UNIT] = Math.abs(offset);
  }
  return Math.max(-FURTHEST, Math.min(FURTHEST, offset / channels[at + UNIT]!));
}
