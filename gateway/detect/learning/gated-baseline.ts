import type { Verdict } from '../../core/detector.ts';
import { learnMoving, learntOf, MOVING_NUMBERS, movingMean, movingSpread, shareOf } from './moving-spread.ts';
import { endTrouble, isNewNormal, NEW_NORMAL_NUMBERS } from './new-normal.ts';

/** Numbers that a gated baseline takes in the block of memory of a series. */
export const GATED_NUMBERS = 1 + MOVING_NUMBERS + NEW_NORMAL_NUMBERS;

// Places of the numbers, from where they begin.
const COUNT = 0;
const MOVING = 1;
const NEW_NORMAL = MOVING + MOVING_NUMBERS;

/** How long a baseline remembers and holds out. */
export interface GateSettings {
  /** Mean and spread are taken over about this many values. */
  readonly memory: number;
  /** What is strange for so long is the new normal, in milliseconds. */
  readonly relearnAfterMs: number;
}

/** Of how many values it is made. */
export function gatedCount(numbers: Float64Array, at: number): number {
  return numbers[at + COUNT]!;
}

/** The exponentially weighted mean before a value; the value itself where there was none before. */
export function gatedMean(numbers: Float64Array, at: number, value: number): number {
  return gatedCount(numbers, at) === 0 ? value : movingMean(numbers, at + MOVING);
}

/** The exponentially weighted standard deviation. */
export function gatedSpread(numbers: Float64Array, at: number): number {
  return movingSpread(numbers, at + MOVING);
}

/**
 * Lets a value join that has been judged. An anomaly does not join, so it does not blind the detector; and no value joins as if it were further
 * than half way to what scores 1. What is strange for `relearnAfterMs` is the new normal: all is learnt anew from there.
 *
 * @param at where the numbers begin, all 0 at first
 * @param unit how far from the mean scores 1
 * @param time of the reading, ascending
 */
export function learnGated(
  numbers: Float64Array,
  at: number,
  value: number,
  unit: number,
  verdict: Verdict,
  time: number,
  settings: GateSettings,
): void {
  const mean = gatedMean(numbers, at, value);
  if (isNewNormal(numbers, at + NEW_NORMAL, verdict.anomaly, time, settings.relearnAfterMs)) forget(numbers, at);
  else if (!verdict.anomaly) {
    const count = numbers[at + COUNT]! + 1;
    numbers[at + COUNT] = count;
    const share = shareOf(count, settings.memory);
    learnMoving(numbers, at + MOVING, mean + learntOf(value - mean, unit), share);
  }
}

/** What is strange just now is the new normal at once, by the word of a person; false where nothing was strange lately. */
export function acceptStrange(numbers: Float64Array, at: number): boolean {
  if (!endTrouble(numbers, at + NEW_NORMAL)) return false;
  forget(numbers, at);
  return true;
}

function forget(numbers: Float64Array, at: number): void {
  numbers.fill(0, at, at + MOVING + MOVING_NUMBERS);
}
