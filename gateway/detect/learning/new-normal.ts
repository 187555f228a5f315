/** Numbers that knowing a new normal takes in the block of memory of a series. */
export const NEW_NORMAL_NUMBERS = 2;

// Places of the numbers, from where they begin.
const LAST_TIME = 0;
const TROUBLED_MS = 1;

/** One interval between readings is at most this share of the evidence: a gap of days proves nothing. */
const LARGEST_SHARE = 1 / 20;
/** Calm weighs so much less than trouble: what is strange for more than a tenth of the time does not cease to be so. */
const CALM_SHARE = 1 / 10;

/** Whether there were anomalies lately of which it is not known yet whether they are the new normal. */
export function isTroubled(numbers: Float64Array, at: number): boolean {
  return numbers[at + TROUBLED_MS]! > 0;
}

/** They are, by the word of a person; false where there were none. */
export function endTrouble(numbers: Float64Array, at: number): boolean {
  const wasTroubled = isTroubled(numbers, at);
  numbers[at + TROUBLED_MS] = 0;
  return wasTroubled;
}

/**
 * Takes note of a judgement; answers whether anomalies have lasted so long that what they show is the new normal (concept drift). Normal
 * readings between take a tenth of their time off, so a new level that is now and then within the old bounds is a new level all the same.
 *
 * @param at where the numbers begin, all 0 at first
 * @param time of the reading, ascending
 * @param afterMs how long anomalies must last, above 0; at least twenty readings
 */
export function isNewNormal(
  numbers: Float64Array,
  at: number,
  isAnomaly: boolean,
  time: number,
  afterMs: number,
): boolean {
  const sinceMs = Math.min(time - numbers[at + LAST_TIME]!, afterMs * LARGEST_SHARE);
  numbers[at + LAST_TIME] = time;
  const before = numbers[at + TROUBLED_MS]!;
  const troubled = isAnomaly ? before + sinceMs : Math.max(0, before - sinceMs * CALM_SHARE);
  const isNew = troubled >= afterMs;
  numbers[at + TROUBLED_MS] = isNew ? 0 : troubled;
  return isNew;
}
