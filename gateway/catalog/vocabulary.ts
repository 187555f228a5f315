import type { Vocabulary } from '../../config/schema.ts';
import { detectorKinds } from '../detect/detectors.ts';
import { aggregateNames, percentilePattern } from '../pipeline/aggregate/aggregates.ts';

/** The names that a configuration may use, from the rooms that define them. */
export const vocabulary: Vocabulary = { aggregateNames, percentilePattern, detectors: detectorKinds };
