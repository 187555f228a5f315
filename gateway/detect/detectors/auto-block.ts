import { BOUNDS_NUMBERS } from '../learning/known-bounds.ts';
import { MOVEMENT_NUMBERS, SPREAD_WINDOWS, STEP_WINDOW } from '../learning/movement.ts';
import { ONSET_NUMBERS } from '../learning/onset.ts';
import { RECENT_BYTES, RECENT_NUMBERS, RECENT_WINDOWS } from '../learning/recent-values.ts';
import { PROFILE_NUMBERS, type ProfilePlace, type SeriesMemory } from '../learning/seasonal-profile.ts';
import type { AutoMember } from './auto-words.ts';

/** The members of the auto detector, in the order of their bounds in the block. */
export const MEMBERS: readonly AutoMember[] = [
  { kind: 'value', window: RECENT_WINDOWS[0] },
  { kind: 'value', window: RECENT_WINDOWS[1] },
  { kind: 'lowest', window: RECENT_WINDOWS[1] },
  { kind: 'highest', window: RECENT_WINDOWS[1] },
  { kind: 'spread', window: SPREAD_WINDOWS[0] },
  { kind: 'spread', window: SPREAD_WINDOWS[1] },
  { kind: 'step', window: STEP_WINDOW },
  { kind: 'day', window: 1 },
  { kind: 'week', window: 1 },
];

/** The place of each member among them; the second spread comes after the first. */
export const Member = {
  shortMedian: 0,
  longMedian: 1,
  lowest: 2,
  highest: 3,
  spread: 4,
  step: 6,
  day: 7,
  week: 8,
} as const;

const DAY_MS = 86_400_000;
/** The bins of the profile of a day: half hours. */
export const DAY_BINS = 48;
/** How long one of them is. */
export const DAY_BIN_MS = DAY_MS / DAY_BINS;
/** The bins of the profile of a week: hours. */
export const WEEK_BINS = 168;
/** How long one of them is. */
export const WEEK_BIN_MS = (7 * DAY_MS) / WEEK_BINS;

const OWN = RECENT_NUMBERS;
const OWN_NUMBERS = 8;
const ONSET = OWN + OWN_NUMBERS;
const MOVEMENT = ONSET + ONSET_NUMBERS;
const PROFILES = MOVEMENT + MOVEMENT_NUMBERS;
const BOUNDS = PROFILES + 2 * PROFILE_NUMBERS;

/** Where what stands among the numbers of a block; the ring of recent values is in front. */
export const Place = {
  count: OWN,
  originTime: OWN + 1,
  originValue: OWN + 2,
  /** What the members have said of the value at hand, and the most that one has. */
  evidence: OWN + 3,
  most: OWN + 4,
  /** The member whose words explain the value at hand, and what turns its bounds into words. */
  leader: OWN + 5,
  leaderBase: OWN + 6,
  leaderUnit: OWN + 7,
  onset: ONSET,
  movement: MOVEMENT,
  bounds: BOUNDS,
  end: BOUNDS + MEMBERS.length * BOUNDS_NUMBERS,
} as const;

/** Where the profile of the day is. */
export const DAY_PLACE: ProfilePlace = { numbersAt: PROFILES, floatsAt: 0, bytesAt: RECENT_BYTES };
/** Where the profile of the week is. */
export const WEEK_PLACE: ProfilePlace = {
  numbersAt: PROFILES + PROFILE_NUMBERS,
  floatsAt: 2 * DAY_BINS,
  bytesAt: RECENT_BYTES + DAY_BINS,
};

const FLOATS = 2 * (DAY_BINS + WEEK_BINS);
const FLOATS_START = Place.end * 8;
const BYTES_START = FLOATS_START + FLOATS * 4;
const BYTES = RECENT_BYTES + DAY_BINS + WEEK_BINS;

/** The whole state of a series, one block of memory: numbers, then floats, then bytes. All 0: nothing was seen. */
export function newAutoBlock(): SeriesMemory {
  const block = new ArrayBuffer(BYTES_START + BYTES);
  return {
    numbers: new Float64Array(block, 0, Place.end),
    floats: new Float32Array(block, FLOATS_START, FLOATS),
    bytes: new Uint8Array(block, BYTES_START, BYTES),
  };
}
