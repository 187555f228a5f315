import { parseDuration } from '../../config/units.ts';
import { GatewayError } from '../core/errors.ts';
import type { DetectorOptions } from '../detect/detector-kind.ts';
import { detectorKind } from '../detect/detectors.ts';
import { findJointKind } from '../detect/joint-detectors.ts';

/** Collects the values of an option that may be given again and again. */
export function repeated(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/**
 * Reads settings such as `min=10` or `for=5m`, in the words and units of a configuration: lengths of time have a unit.
 *
 * @throws GatewayError for a detector that there is not, or a setting that cannot be read; what it may hold, the detector checks
 */
export function detectorSettings(detector: string, settings: readonly string[]): DetectorOptions {
  const known = (findJointKind(detector) ?? detectorKind(detector)).options;
  const options: Record<string, number | string> = {};
  for (const setting of settings) {
    const [, name, text] = /^([A-Za-z]+)=(.+)$/.exec(setting) ?? [];
    if (name === undefined || text === undefined) {
      throw new GatewayError(`Cannot read the setting ${JSON.stringify(setting)}`, {
        hint: 'write name=value, for example --set min=10 --set for=5m',
      });
    }
    if (Object.hasOwn(known, name) && known[name]?.text === true) {
      options[name] = text;
      continue;
    }
    // A configuration says `for: 5m` for what the detector calls `forMs`.
    const isDuration = Object.hasOwn(known, `${name}Ms`);
    const value = isDuration ? parseDuration(text) : numberOf(text);
    if (typeof value === 'string') throw new GatewayError(`Cannot set ${name} of the ${detector} detector: ${value}`);
    options[isDuration ? `${name}Ms` : name] = value;
  }
  return options;
}

/** A number as it is written, or why it is none. */
function numberOf(text: string): number | string {
  const value = Number(text);
  return text.trim() !== '' && Number.isFinite(value) ? value : `not a number: got ${JSON.stringify(text)}`;
}
