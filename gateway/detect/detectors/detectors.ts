import type { Detector } from '../../core/detector.ts';
import { GatewayError } from '../../core/errors.ts';
import { jointDetectorNames } from '../together/joint-detectors.ts';
import { autoKind } from './auto.ts';
import { cusumKind } from './cusum.ts';
import type { DetectorKind, DetectorOptions } from './detector-kind.ts';
import { checkOptions, numbersIn, textsIn } from './detector-options.ts';
import { flatlineKind } from './flatline.ts';
import { heartbeatKind } from './heartbeat.ts';
import { madKind } from './mad.ts';
import { noveltyKind } from './novelty.ts';
import { rangeKind } from './range.ts';
import { rateOfChangeKind } from './rate-of-change.ts';
import { seasonalKind } from './seasonal.ts';
import { spreadKind } from './spread.ts';
import { zscoreKind } from './zscore.ts';

/** Every detector there is. */
export const detectorKinds: readonly DetectorKind[] = [
  rangeKind,
  autoKind,
  noveltyKind,
  flatlineKind,
  rateOfChangeKind,
  zscoreKind,
  madKind,
  cusumKind,
  seasonalKind,
  spreadKind,
  heartbeatKind,
];

/** The names a rule may use. */
export const detectorNames: readonly string[] = detectorKinds.map((kind) => kind.name);

/** The kind of a name; throws a `GatewayError` that lists the names where there is none. */
export function detectorKind(name: string): DetectorKind {
  const kind = detectorKinds.find((candidate) => candidate.name === name);
  if (kind !== undefined) return kind;
  throw new GatewayError(`Cannot find a detector named ${JSON.stringify(name)}`, {
    hint: `the detectors are ${detectorNames.join(', ')}; for several series together ${jointDetectorNames.join(', ')}`,
  });
}

/** Checks options once and answers how to make a detector for each series; throws a `GatewayError` that names the wrong option. */
export function detectorFactory(name: string, options: DetectorOptions = {}): () => Detector {
  const kind = detectorKind(name);
  checkOptions(kind, options);
  return kind.factory(numbersIn(options), textsIn(options));
}

/** One detector, for one series. */
export function createDetector(name: string, options: DetectorOptions = {}): Detector {
  return detectorFactory(name, options)();
}
