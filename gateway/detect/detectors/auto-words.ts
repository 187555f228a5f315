import { movementOf } from '../learning/movement.ts';
import { rangeInWords } from '../words.ts';

/** One feature that the auto detector judges; `window` in readings, or 1 where it looks at a value alone. */
export interface AutoMember {
  readonly kind: 'value' | 'lowest' | 'highest' | 'spread' | 'step' | 'day' | 'week';
  readonly window: number;
}

/**
 * What a member held for normal, for an operator, to be read between "is 31.4 where" and "was expected".
 *
 * @param base and `unit` turn a bound of the feature into the unit of the series: base + unit × bound
 */
export function expectedBy(member: AutoMember, base: number, unit: number, lowest: number, highest: number): string {
  const { kind, window } = member;
  if (kind === 'spread' || kind === 'step') {
    const range = rangeInWords(movementOf(lowest, unit), movementOf(highest, unit));
    return `a ${kind === 'step' ? 'mean step' : 'spread'} ${range} over about ${window} readings`;
  }
  const range = rangeInWords(base + unit * lowest, base + unit * highest);
  if (kind === 'value') return range;
  if (kind === 'lowest' || kind === 'highest') return `a ${kind} of the last ${window} readings ${range}`;
  return `${range} at this time of the ${kind}`;
}
