import type { DetectorOption, Verdict } from '../../core/detector.ts';
import type { NumberOptions } from '../detectors/detector-kind.ts';

/** The most channels that are judged together: the cost of a judgement grows with the cube of them. */
export const MAX_CHANNELS = 32;

/** A streaming judge of several channels at one moment: bounded state, no clock, no allocation for each vector. */
export interface JointDetector {
  /** How many channels it knows. */
  readonly size: number;
  /** One channel more, behind those there are; at most `MAX_CHANNELS`. */
  addChannel(): void;
  /**
   * Judges what the channels say at a moment and learns from it; times ascend. Returns one object again and again.
   *
   * @param values finite, or NaN where a channel says nothing at this moment; as many as there are channels
   */
  judge(values: Float64Array, time: number): Verdict;
  /** The place of the channel that stood out most in the last vector; 0 before the first that was judged. */
  readonly leader: number;
  /** How much of what was strange in the last vector is this channel's, 0 to 1; all of them sum to 1, or are 0 where nothing was judged. */
  shareOf(place: number): number;
  /** What would have been normal for the leader, going by all others, in words for an operator. */
  expected(): string;
  /** What was seen of the leader, in words that follow its name: `is 30.9 °C, on average 31.2`. */
  seen(unit: string | undefined): string;
  /** See `Detector`. */
  accept(): boolean;
  /** Plain data; `restore` of it continues with equal scores. */
  snapshot(): unknown;
  restore(snapshot: unknown): void;
}

/** A kind of detector that a rule with `together` can name. */
export interface JointDetectorKind {
  readonly name: string;
  readonly description: string;
  readonly options: Readonly<Record<string, DetectorOption>>;
  /** Makes detectors of checked options without any channels, all with one shared set of settings. */
  readonly factory: (numbers: NumberOptions) => () => JointDetector;
}
