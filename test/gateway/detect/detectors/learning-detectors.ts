import { detectorKinds } from '../../../../gateway/detect/detectors/detectors.ts';

/** The detectors that need to be told nothing of a series: they learn what is normal. */
export const learningDetectors: readonly string[] = detectorKinds
  .filter(({ options }) => Object.values(options).every(({ default: value }) => value !== undefined))
  .map(({ name }) => name);
