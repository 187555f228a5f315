import { parseDuration } from '../../config/units.ts';
import { optionKey } from '../core/detector.ts';
import { GatewayError } from '../core/errors.ts';
import type { DetectorOptions } from '../detect/detectors/detector-kind.ts';
import { detectorKind } from '../detect/detectors/detectors.ts';
import { findJointKind } from '../detect/together/joint-detectors.ts';

/** Collects the values of an option that may be given again and again. */
export function repeated(value: string, before: readonly string[] = []): readonly string[] {
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
    const option = Object.keys(known).find((one) => optionKey(one) === name);
    if (option === undefined) {
      throw new GatewayError(`Cannot set ${name}: the detector ${detector} has no option "${name}"`, {
        hint: `its options are ${Object.keys(known).map(optionKey).join(', ')}`,
      });
    }
    options[option] = known[option]?.text === true ? text : numberOf(detector, option, text);
  }
  return options;
}

/** @throws GatewayError for a text that is no number, or where a length of time is asked for, none of these */
function numberOf(detector: string, option: string, text: string): number {
  const value = option.endsWith('Ms') ? parseDuration(text) : Number(text);
  if (typeof value === 'number' && Number.isFinite(value) && text.trim() !== '') return value;
  const problem = typeof value === 'string' ? value : `not a number: got ${JSON.stringify(text)}`;
  throw new GatewayError(`Cannot set ${optionKey(option)} of the detector ${detector}: ${problem}`);
}
