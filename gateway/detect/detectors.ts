import type { Detector, DetectorOption } from '../core/detector.ts';
import { GatewayError } from '../core/errors.ts';
import { autoKind } from './auto.ts';
import type { DetectorKind, DetectorOptions } from './detector-kind.ts';
import { flatlineKind } from './flatline.ts';
import { heartbeatKind } from './heartbeat.ts';
import { madKind } from './mad.ts';
import { noveltyKind } from './novelty.ts';
import { rangeKind } from './range.ts';
import { rateOfChangeKind } from './rate-of-change.ts';
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
    hint: `the detectors are ${detectorNames.join(', ')}`,
  });
}

/** Checks options once and answers how to make a detector for each series; throws a `GatewayError` that names the wrong option. */
export function detectorFactory(name: string, options: DetectorOptions = {}): () => Detector {
  const kind = detectorKind(name);
  for (const given of Object.keys(options)) {
    if (!Object.hasOwn(kind.options, given)) {
      throw new GatewayError(`Cannot make a ${name} detector: it has no option ${JSON.stringify(given)}`, {
        hint: `its options are ${Object.keys(kind.options).join(', ')}`,
      });
    }
  }
  for (const [option, rule] of Object.entries(kind.options)) checkOption(name, option, rule, options[option]);
  return kind.factory(options);
}

/** One detector, for one series. */
export function createDetector(name: string, options: DetectorOptions = {}): Detector {
  return detectorFactory(name, options)();
}

function checkOption(name: string, option: string, rule: DetectorOption, value: number | undefined): void {
  if (value === undefined) {
    if (rule.required !== true) return;
    throw new GatewayError(`Cannot make a ${name} detector: its option ${option} is missing`, {
      hint: `${option}: ${rule.description}`,
    });
  }
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, above = false, whole = false } = rule;
  const fits = Number.isFinite(value) && value <= max && (above ? value > min : value >= min);
  if (fits && (!whole || Number.isInteger(value))) return;
  const bounds = [
    Number.isFinite(min) ? `${above ? 'above' : 'at least'} ${min}` : '',
    Number.isFinite(max) ? `at most ${max}` : '',
  ].filter((bound) => bound !== '');
  throw new GatewayError(`Cannot make a ${name} detector: its option ${option} is ${value}`, {
    hint: `it must be a ${whole ? 'whole' : 'finite'} number${bounds.length > 0 ? `, ${bounds.join(' and ')}` : ''}`,
  });
}
