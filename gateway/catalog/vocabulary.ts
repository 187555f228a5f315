import type { Vocabulary } from '../../config/schema.ts';
import { detectorKinds } from '../detect/detectors.ts';
import { aggregateNames, aggregatePatterns, allowedAggregates } from '../pipeline/aggregate/aggregates.ts';
import { checkedReduction } from '../pipeline/reduction.ts';
import { checkOrderedShape } from '../pipeline/windows/ordered-definition.ts';
import { checkedWindow, checkOpenWindows } from '../pipeline/windows/window-definition.ts';

/** The names that a configuration may use, from the rooms that define them. */
export const vocabulary: Vocabulary = {
  aggregateNames,
  aggregatePatterns,
  allowedAggregates,
  checkWindow: (shape, latenessMs) =>
    'count' in shape ? checkOrderedShape(shape) : checkOpenWindows(checkedWindow(shape), latenessMs),
  checkReduction: checkedReduction,
  detectors: detectorKinds,
};
