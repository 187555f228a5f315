import type { Vocabulary } from '../../config/schema.ts';
import { detectorKinds } from '../../gateway/detect/detectors.ts';
import { aggregateNames, percentilePattern } from '../../gateway/pipeline/aggregate/aggregates.ts';

/** What configurations may name, as the rooms say it. */
export const vocabulary: Vocabulary = { aggregateNames, percentilePattern, detectors: detectorKinds };
