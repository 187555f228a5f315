import type { DetectorOption } from '../core/detector.ts';
import { GatewayError } from '../core/errors.ts';
import type { DetectorOptions } from './detector-kind.ts';

/** Checks options against what a kind of detector takes, one by one; throws a `GatewayError` that names the wrong one, and what is allowed. */
export function checkOptions(
  kind: { readonly name: string; readonly options: Readonly<Record<string, DetectorOption>> },
  options: DetectorOptions,
): void {
  for (const given of Object.keys(options)) {
    if (!Object.hasOwn(kind.options, given)) {
      throw new GatewayError(`Cannot make a ${kind.name} detector: it has no option ${JSON.stringify(given)}`, {
        hint: `its options are ${Object.keys(kind.options).join(', ')}`,
      });
    }
  }
  for (const [option, rule] of Object.entries(kind.options)) checkOption(kind.name, option, rule, options[option]);
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
