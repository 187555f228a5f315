import type { WhenFull } from '../../gateway/buffer/segment-log.ts';
import type { CatchUp } from '../../gateway/runtime/lane.ts';
import { seededRandom } from '../model/faulty-disk.ts';

/** What a world is like, which decides what befalls it and what can be promised in it. */
export interface Climate {
  /** Without one the clock begins in 1970 after every power cut. */
  readonly hasBattery: boolean;
  /** Sets the clock some time after each boot. Without one somebody does, or nobody. */
  readonly hasTimeService: boolean;
  /** Somebody sets the clock while the gateway runs, ahead and back. */
  readonly isClockSet: boolean;
  /** How fast the clock goes: 1 is right. */
  readonly clockRate: number;
  readonly catchUp: CatchUp;
  /** What the outbox does when it is full. Other than `block`, it is small, and sinks are away for minutes. */
  readonly whenFull: WhenFull;
  /** Files are damaged between two lives. */
  readonly isDamaged: boolean;
  /** Readings are reduced, joined and counted in every way there is, and a device tells times far ahead. */
  readonly hasOperators: boolean;
}

const DROPPING: readonly WhenFull[] = ['drop-oldest', 'drop-newest', 'thin'];
/** Quartz is right to 50 parts in a million; a hot box loses four times that. */
const MOST_DRIFT = 2e-4;

/** Draws what a world is like. @param seed decides what shall not make other worlds of those that do not have it */
export function drawClimate(random: () => number, seed: number): Climate {
  const isDamaged = random() < 0.15;
  const drops = !isDamaged && random() < 0.2;
  return {
    hasBattery: random() < 0.7,
    hasTimeService: random() < 0.5,
    isClockSet: random() < 0.4,
    clockRate: 1 + (random() - 0.5) * 2 * MOST_DRIFT,
    catchUp: { order: random() < 0.5 ? 'newest-first' : 'in-order', maxPerSecond: 200 },
    whenFull: drops ? DROPPING[Math.floor(random() * DROPPING.length)]! : 'block',
    isDamaged,
    hasOperators: seededRandom(~seed)() < 0.25,
  };
}
