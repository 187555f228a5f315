import type { Vocabulary } from '../../config/schema.ts';
import { detectorKinds } from '../detect/detectors.ts';
import { aggregateNames, aggregatePatterns, allowedAggregates } from '../pipeline/aggregate/aggregates.ts';
import { findCycle } from '../pipeline/derive/cycles.ts';
import { DERIVATION_NAMES } from '../pipeline/derive/derivation.ts';
import { Expression } from '../pipeline/derive/expression.ts';
import { reductionRule } from '../pipeline/reduction/reduction-rule.ts';
import { checkOrderedShape } from '../pipeline/windows/ordered-definition.ts';
import { checkedWindow, checkOpenWindows } from '../pipeline/windows/window-definition.ts';

/** The names that a configuration may use, from the rooms that define them. */
export const vocabulary: Vocabulary = {
  aggregateNames,
  aggregatePatterns,
  allowedAggregates,
  checkWindow: (shape, latenessMs) =>
    'count' in shape || 'while' in shape
      ? checkOrderedShape(shape)
      : checkOpenWindows(checkedWindow(shape), latenessMs),
  checkReduction: reductionRule,
  derivationProblem: (value) => {
    const made = Expression.compile(value, DERIVATION_NAMES);
    return made instanceof Expression ? undefined : made;
  },
  derivationCycle: (derivations) =>
    findCycle(
      derivations.map(({ name, series, metric }) => ({
        source: `derive:${name}`,
        reads: [series],
        placedLike: series,
        metric,
      })),
    ),
  detectors: detectorKinds,
};
