import { type DetectorOption, optionKey } from '../../core/detector.ts';
import { GatewayError } from '../../core/errors.ts';
import type { DetectorOptions, NumberOptions, TextOptions } from './detector-kind.ts';

/** Checks options against what a kind of detector takes, one by one; throws a `GatewayError` that names the wrong one, and what is allowed. */
export function checkOptions(
  kind: { readonly name: string; readonly options: Readonly<Record<string, DetectorOption>> },
  options: DetectorOptions,
): void {
  for (const given of Object.keys(options)) {
    if (!Object.hasOwn(kind.options, given)) {
      throw new GatewayError(`Cannot make the detector ${kind.name}: it has no option ${JSON.stringify(given)}`, {
        hint: `its options are ${Object.keys(kind.options).map(optionKey).join(', ')}`,
      });
    }
  }
  for (const [option, rule] of Object.entries(kind.options)) checkOption(kind.name, option, rule, options[option]);
}

/** The options that are numbers. */
export function numbersIn(options: DetectorOptions): NumberOptions {
  return Object.fromEntries(
    Object.entries(options).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}

/** The options that are texts. */
export function textsIn(options: DetectorOptions): TextOptions {
  return Object.fromEntries(
    Object.entries(options).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function checkOption(name: string, option: string, rule: DetectorOption, value: number | string | undefined): void {
  if (value === undefined) {
    if (rule.required !== true) return;
    throw new GatewayError(`Cannot make the detector ${name}: its option ${optionKey(option)} is missing`, {
      hint: `${optionKey(option)}: ${rule.description}`,
    });
  }
  const hint = rule.text === true ? textProblem(value) : numberProblem(rule, value);
  if (hint === undefined) return;
  const got = typeof value === 'number' ? value : JSON.stringify(value);
  throw new GatewayError(`Cannot make the detector ${name}: its option ${optionKey(option)} is ${got}`, { hint });
}

/** What a text must be where it is none. */
function textProblem(value: number | string): string | undefined {
  return typeof value === 'string' ? undefined : 'it must be a text';
}

/** What a number must be where it is not that. */
function numberProblem(rule: DetectorOption, value: number | string): string | undefined {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, above = false, whole = false } = rule;
  if (typeof value === 'number' && Number.isFinite(value)) {
    const fits = value <= max && (above ? value > min : value >= min);
    if (fits && (!whole || Number.isInteger(value))) return undefined;
  }
  const bounds = [
    Number.isFinite(min) ? `${above ? 'above' : 'at least'} ${min}` : '',
    Number.isFinite(max) ? `at most ${max}` : '',
  ].filter((bound) => bound !== '');
  return `it must be a ${whole ? 'whole' : 'finite'} number${bounds.length > 0 ? `, ${bounds.join(' and ')}` : ''}`;
}
