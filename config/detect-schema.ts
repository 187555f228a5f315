import Type, { type TSchema } from 'typebox';
import { type DetectorOption, optionKey } from '../gateway/core/detector.ts';
import { duration, oneOf, positiveDuration, seriesGlob, text, wordOrWords } from './scalars.ts';
import { closed, list, optional } from './shapes.ts';
import { formatDuration } from './units.ts';
import type { JointDetectorWords, Vocabulary } from './vocabulary.ts';

/** A rule of `detect` once checked: the detector's options lie beside these keys. */
export interface CheckedDetect {
  series: string;
  detector: string;
  alarm?: {
    severity: 'info' | 'warning' | 'critical';
    priority?: number;
    hold: number;
    delay: number;
    hysteresis: number;
  };
}

/** A rule of `detect` that judges series together, once checked: the detector's options lie beside these keys. */
export interface CheckedTogether extends Omit<CheckedDetect, 'series'> {
  together: readonly string[];
  on?: readonly string[];
  maxAge: number;
}

const alarm = Type.Object(
  {
    severity: oneOf(['info', 'warning', 'critical'], { description: 'How bad it is.', default: 'warning' }),
    priority: optional(
      Type.Integer({
        description:
          'How urgent it is, as OPC UA numbers it: 1 to 1000. Default: 100 for info, 500 for warning, 900 for critical.',
        minimum: 1,
        maximum: 1000,
        examples: [620],
      }),
    ),
    hold: duration({
      description: 'How long values must be normal again before the alarm is cleared.',
      default: '30s',
    }),
    delay: duration({
      description: 'How long an anomaly must last before the alarm is raised.',
      default: '0s',
    }),
    hysteresis: Type.Number({
      description:
        'How far below the threshold the score must fall before values count as normal again: 0 not at all, 1 all the way.',
      default: 0,
      minimum: 0,
      maximum: 1,
    }),
  },
  { ...closed, description: 'The alarm that an anomaly raises. Without it, anomalies are only marked.' },
);

/** What is judged. */
export function detect({ detectors, jointDetectors }: Vocabulary) {
  const series = { series: seriesGlob({ description: 'Which series.', examples: ['*/temperature'] }) };
  const rules = [
    ...detectors.map((words) => ruleOf(series, words)),
    ...jointDetectors.map((words) => ruleOf(together, words)),
  ];
  const rule = Type.Unsafe<CheckedDetect | CheckedTogether>(Type.Union(rules));
  return list(rule, { description: 'What is judged, reading by reading.' });
}

const together = {
  together: Type.Array(seriesGlob({ description: 'Which series.' }), {
    description: 'Which series are judged together: 2 to 32.',
    minItems: 1,
    examples: [['pump-1/vibration', 'pump-1/current', 'pump-1/pressure']],
  }),
  on: optional(
    wordOrWords({
      description:
        'What is equal in series that are judged together: device, the name of a tag, or a list of these. Default: nothing where each is named with its device, else device.',
      examples: ['device'],
    }),
  ),
  maxAge: duration({
    description: 'How much older than the newest value of its group one may be to be judged with it.',
    default: '1m',
  }),
};

/** @param which the keys that say which series are judged */
function ruleOf(which: Record<string, TSchema>, { name, description, options }: JointDetectorWords): TSchema {
  return Type.Object(
    {
      ...which,
      detector: Type.Literal(name, { description }),
      ...Object.fromEntries(Object.entries(options).map(([key, words]) => [optionKey(key), option(key, words)])),
      alarm: optional(alarm),
    },
    { ...closed, description },
  );
}

function option(name: string, words: DetectorOption): TSchema {
  const schema =
    words.text === true ? textOption(words) : name.endsWith('Ms') ? durationOption(words) : numberOption(words);
  return words.required === true || words.default !== undefined ? schema : optional(schema);
}

function textOption({ description, default: value }: DetectorOption): TSchema {
  return text({ description, ...(value === undefined ? {} : { default: value }) });
}

function durationOption({ description, default: ms, above }: DetectorOption): TSchema {
  const words = { description, ...(ms === undefined ? {} : { default: formatDuration(Number(ms)) }) };
  return above === true ? positiveDuration(words) : duration(words);
}

function numberOption({ description, default: value, min, above, max, whole }: DetectorOption): TSchema {
  const least = min === undefined ? {} : above === true ? { exclusiveMinimum: min } : { minimum: min };
  const most = max === undefined ? {} : { maximum: max };
  const words = { description, ...(value === undefined ? {} : { default: value }), ...least, ...most };
  return whole === true ? Type.Integer(words) : Type.Number(words);
}
