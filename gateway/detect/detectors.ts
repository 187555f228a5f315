import type { Detector, DetectorOption } from '../core/detector.ts';
import { GatewayError } from '../core/errors.ts';
import { AutoDetector, autoSettings } from './auto.ts';
import { FlatlineDetector } from './flatline.ts';
import { NoveltyDetector, noveltySettings } from './novelty.ts';
import { RangeDetector } from './range.ts';
import { RateOfChangeDetector } from './rate-of-change.ts';
import { MAX_MEDIAN_WINDOW } from './rolling-median.ts';

/** Options of a detector by name; what each detector takes is in its kind. */
export type DetectorOptions = Readonly<Record<string, number>>;

/** A kind of detector that a rule can name. */
export interface DetectorKind {
  readonly name: string;
  readonly description: string;
  /** True when an anomaly is only told at its onset: such a detector cannot say that an anomaly lasts. */
  readonly onsetOnly: boolean;
  readonly options: Readonly<Record<string, DetectorOption>>;
  /** Makes detectors of checked options, all with one shared set of settings. */
  readonly factory: (options: DetectorOptions) => () => Detector;
}

/** Every detector there is. */
export const detectorKinds: readonly DetectorKind[] = [
  {
    name: 'range',
    description: 'a value below min or above max',
    onsetOnly: false,
    options: {
      min: { description: 'lowest normal value, in the unit of the series' },
      max: { description: 'highest normal value, in the unit of the series' },
    },
    factory: (options) => {
      const { min, max } = checkedRange(options);
      return () => new RangeDetector({ min, max });
    },
  },
  {
    name: 'auto',
    description:
      'a value, a season or a movement unlike anything seen; learns, needs no tuning, for any series of numbers',
    onsetOnly: true,
    options: {
      warmUp: { description: 'readings before anything is called an anomaly', default: 200, min: 1, whole: true },
      threshold: { description: 'how much evidence scores 1; larger is calmer', default: 2, min: 0, above: true },
      quiet: {
        description: 'readings after an onset in which only a higher score counts',
        default: 100,
        min: 0,
        whole: true,
      },
    },
    factory: (options) => {
      const settings = autoSettings(options);
      return () => new AutoDetector(settings);
    },
  },
  {
    name: 'novelty',
    description: 'a value further from the recent median than anything seen; learns, needs no tuning',
    onsetOnly: true,
    options: {
      window: {
        description: 'readings the median is taken over',
        default: 100,
        min: 3,
        max: MAX_MEDIAN_WINDOW,
        whole: true,
      },
      warmUp: { description: 'readings before anything is called an anomaly', default: 200, min: 1, whole: true },
      threshold: {
        description: 'how far beyond everything seen scores 1, in mean deviations',
        default: 0.5,
        min: 0,
        above: true,
      },
      forget: {
        description: 'mean deviations by which the known bounds close each reading',
        default: 0.001,
        min: 0,
        max: 1,
      },
      settleAfter: {
        description: 'readings after which forget shrinks in proportion to the age',
        default: 8000,
        min: 1,
        whole: true,
      },
      fade: {
        description: 'share of themselves by which the known bounds close each reading',
        default: 1e-7,
        min: 0,
        max: 1,
      },
      memory: { description: 'readings the mean deviation is taken over', default: 4000, min: 1, whole: true },
      quiet: {
        description: 'readings after an onset in which only a higher score counts',
        default: 100,
        min: 0,
        whole: true,
      },
    },
    factory: (options) => {
      const settings = noveltySettings(options);
      return () => new NoveltyDetector(settings);
    },
  },
  {
    name: 'flatline',
    description: 'a value that does not change while readings come',
    onsetOnly: false,
    options: {
      forMs: { description: 'how long without a change, in milliseconds', required: true, min: 0, above: true },
      tolerance: { description: 'changes of at most this much count as none', default: 0, min: 0 },
    },
    factory: (options) => () => new FlatlineDetector({ forMs: options['forMs']!, tolerance: options['tolerance'] }),
  },
  {
    name: 'rate-of-change',
    description: 'a value that moves faster than allowed',
    onsetOnly: false,
    options: {
      maxPerSecond: {
        description: 'fastest normal change either way, in the unit of the series for each second',
        required: true,
        min: 0,
        above: true,
      },
      overMs: {
        description: 'shortest time a change is measured over, in milliseconds',
        default: 1000,
        min: 0,
        above: true,
      },
    },
    factory: (options) => () =>
      new RateOfChangeDetector({ maxPerSecond: options['maxPerSecond']!, overMs: options['overMs'] }),
  },
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

function checkedRange(options: DetectorOptions): { min: number | undefined; max: number | undefined } {
  const min = options['min'];
  const max = options['max'];
  if (min === undefined && max === undefined) {
    throw new GatewayError('Cannot make a range detector: it has neither min nor max', {
      hint: 'give the lowest normal value as min, the highest as max, or both',
    });
  }
  if (min !== undefined && max !== undefined && min > max) {
    throw new GatewayError(`Cannot make a range detector: its min ${min} is above its max ${max}`, {
      hint: 'min must be at most max',
    });
  }
  return { min, max };
}
