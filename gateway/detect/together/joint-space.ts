import { factorise, inverseDiagonal, rowStart, solve, triangleSize } from './cholesky.ts';
import { MAX_CHANNELS } from './joint-detector.ts';

/** No deviation is taken for larger: its square must be finite. */
const FURTHEST = 1e30;

/** With few readings behind them correlations are half chance: so much of them is not believed at the least, at first. */
const MOST_SHRINKAGE = 0.6;
/** Later it is the ratio of so many readings for each channel to those that there were. */
const READINGS_A_CHANNEL = 125;

/**
 * The geometry of one vector of channels: how far each is from where the others say it should be. Room that detectors share, as one judges after
 * the other: nothing here lasts longer than a judgement.
 */
export class JointSpace {
  /** Places of the channels that take part in the judgement. */
  readonly places = new Uint8Array(MAX_CHANNELS);
  /** How many those are. */
  count = 0;
  /** Standard deviation and deviation in units of it, by rank among those that take part. */
  readonly spread = new Float64Array(MAX_CHANNELS);
  readonly deviation = new Float64Array(MAX_CHANNELS);
  /** How far each is from where the others say it should be, in standard deviations of just that. */
  readonly residual = new Float64Array(MAX_CHANNELS);
  /** That standard deviation, as a share of the channel's own. */
  readonly residualSpread = new Float64Array(MAX_CHANNELS);
  readonly #factor = new Float64Array(triangleSize(MAX_CHANNELS));
  readonly #diagonal = new Float64Array(MAX_CHANNELS);
  readonly #column = new Float64Array(MAX_CHANNELS);

  clear(): void {
    this.count = 0;
  }

  /** @param spread above 0 */
  add(place: number, offset: number, spread: number): void {
    const rank = this.count++;
    this.places[rank] = place;
    this.spread[rank] = spread;
    this.deviation[rank] = Math.max(-FURTHEST, Math.min(FURTHEST, offset / spread));
  }

  /**
   * Fills in the residuals. The square of one is what the squared Mahalanobis distance loses without its channel.
   *
   * @param covariances of all channels, as rows of the lower triangle
   * @param readings that they were learnt from
   */
  resolve(covariances: Float64Array, readings: number): void {
    const { count, residual, deviation } = this;
    const shrinkage = Math.min(MOST_SHRINKAGE, (READINGS_A_CHANNEL * count) / readings);
    this.#correlate(covariances, 1 - shrinkage);
    // Shrunk towards the identity by this much, no direction has a smaller variance.
    factorise(this.#factor, count, shrinkage);
    for (let rank = 0; rank < count; rank++) residual[rank] = deviation[rank]!;
    solve(this.#factor, count, residual);
    inverseDiagonal(this.#factor, count, this.#diagonal, this.#column);
    for (let rank = 0; rank < count; rank++) {
      const own = Math.sqrt(this.#diagonal[rank]!);
      residual[rank]! /= own;
      this.residualSpread[rank] = 1 / own;
    }
  }

  #correlate(covariances: Float64Array, believed: number): void {
    const factor = this.#factor;
    for (let rank = 0; rank < this.count; rank++) {
      const row = rowStart(this.places[rank]!);
      const own = Math.sqrt(covariances[row + this.places[rank]!]!);
      const at = rowStart(rank);
      for (let other = 0; other < rank; other++) {
        const place = this.places[other]!;
        const both = own * Math.sqrt(covariances[rowStart(place) + place]!);
        const correlation = both > 0 ? covariances[row + place]! / both : 0;
        factor[at + other] = believed * Math.max(-1, Math.min(1, correlation));
      }
      factor[at + rank] = 1;
    }
  }
}
