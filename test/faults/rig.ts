import { Random } from '../../simulators/random.ts';

/** One real fault, made against the real process as often as asked, and what became of the promise. */
export interface Rig {
  /** `F1` of the catalogue of faults, or a word where it is a figure rather than a fault. */
  readonly id: string;
  /** A sentence that a run finds true or false. */
  readonly claim: string;
  /** What must be reached, as the table shows it. */
  readonly goal: string;
  /** Its verdict depends on the speed of the machine: it is measured on request, and is no test. */
  readonly isTimed?: boolean;
  /** Makes the fault. @throws {Skipped} where the machine cannot */
  run(round: Round): Promise<Finding>;
}

/** What a rig found. */
export interface Finding {
  /** The figures, for a person. */
  readonly measured: string;
  /** Whether what must hold on every machine does. */
  readonly holds: boolean;
  /** Whether times and sizes are those of the goal: it counts in the table, and in no test, since there a machine may be busy with others. */
  readonly meetsFigures?: boolean;
}

/** The machine cannot make this fault: a program, a permission or a kind of file system is missing. */
export class Skipped extends Error {}

/** How thorough a run is, and where its randomness comes from. */
export class Round {
  readonly isFull: boolean;
  readonly seed: number;
  readonly random: Random;
  readonly #note: (text: string) => void;
  readonly #most: number;

  /**
   * @param note takes what a person wants to see while a long run goes on
   * @param most no fault is made more often, for those who have less time
   */
  constructor(isFull: boolean, seed: number, note: (text: string) => void, most = Number.POSITIVE_INFINITY) {
    this.isFull = isFull;
    this.seed = seed;
    this.random = new Random(seed);
    this.#note = note;
    this.#most = most;
  }

  /** How often a fault is made: `short` times where every change is checked, `full` times where the figures are made. */
  times(short: number, full: number): number {
    return Math.min(this.isFull ? full : short, this.#most);
  }

  /** How much of something there is: the same for amounts. */
  amount(short: number, full: number): number {
    return this.isFull ? full : short;
  }

  note(text: string): void {
    this.#note(text);
  }
}
