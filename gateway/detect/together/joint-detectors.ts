import { GatewayError } from '../../core/errors.ts';
import type { DetectorOptions } from '../detectors/detector-kind.ts';
import { checkOptions, numbersIn } from '../detectors/detector-options.ts';
import type { JointDetector, JointDetectorKind } from './joint-detector.ts';
import { mahalanobisKind } from './mahalanobis.ts';

/** Every detector of several series together. */
export const jointDetectorKinds: readonly JointDetectorKind[] = [mahalanobisKind];

/** Their names. */
export const jointDetectorNames: readonly string[] = jointDetectorKinds.map(({ name }) => name);

/** The kind of a name; undefined where no such detector judges several series together. */
export function findJointKind(name: string): JointDetectorKind | undefined {
  return jointDetectorKinds.find((kind) => kind.name === name);
}

/**
 * Checks options once and answers how to make a detector, without any channels, for each group of series; throws a `GatewayError` that names what
 * is wrong.
 */
export function jointDetectorFactory(name: string, options: DetectorOptions = {}): () => JointDetector {
  const kind = findJointKind(name);
  if (kind === undefined) {
    throw new GatewayError(`Cannot find a detector of several series named ${JSON.stringify(name)}`, {
      hint: `these are ${jointDetectorNames.join(', ')}`,
    });
  }
  checkOptions(kind, options);
  return kind.factory(numbersIn(options));
}
