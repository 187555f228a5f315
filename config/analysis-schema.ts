import Type, { type TSchema } from 'typebox';
import type { DetectorOption } from '../gateway/core/detector.ts';
import {
  componentName,
  duration,
  numberOrText,
  oneOf,
  positiveDuration,
  seriesGlob,
  text,
  wordOrWords,
} from './scalars.ts';
import { closed, list, optional } from './shapes.ts';
import { formatDuration } from './units.ts';
import type { JointDetectorWords, Vocabulary } from './vocabulary.ts';

const seriesEntry = Type.Object(
  {
    series: seriesGlob({
      description: 'Which series: *, device/metric, or site/device/metric, with * inside the parts.',
      examples: ['press-1/*'],
    }),
    unit: optional(text({ description: 'Unit of measure after scaling.', examples: ['°C'] })),
    scale: Type.Number({ description: 'Values are multiplied by this.', default: 1 }),
    offset: Type.Number({ description: 'Then this is added.', default: 0 }),
    tags: Type.Array(text({ description: 'Name of a tag.' }), {
      description:
        'Names of tags that these series have and no source tells of, as they come over the API; joins may be on them.',
      default: [],
    }),
  },
  { ...closed, description: 'Unit and scaling of series.' },
);

/** What a value must be for a window to begin, and to go on. */
function stateCondition() {
  const words = { ...closed, description: 'What the value must be.' };
  const until = (description: string) => optional(Type.Number({ description, examples: [75] }));
  return Type.Union(
    [
      Type.Object(
        {
          above: Type.Number({ description: 'Begins above this, and lasts as long.', examples: [80] }),
          until: until('Lasts until the value is below this instead; at most `above`.'),
        },
        words,
      ),
      Type.Object(
        {
          below: Type.Number({ description: 'Begins below this, and lasts as long.', examples: [5] }),
          until: until('Lasts until the value is above this instead; at least `below`.'),
        },
        words,
      ),
      Type.Object(
        {
          equals: numberOrText({
            description: 'Lasts as long as it is this number or text.',
            examples: [3, 'running'],
          }),
        },
        words,
      ),
      Type.Object({ unchanged: Type.Literal(true, { description: 'Lasts as long as it stays the same.' }) }, words),
    ],
    { description: 'What the value must be for a window to begin, and to go on.' },
  );
}

/** Which stretches of time, or which readings, a window takes. */
function windowShape() {
  const allowedLateness = duration({
    description: 'A reading that comes this late still corrects its window.',
    default: '0s',
    examples: ['10s'],
  });
  const shape = <T extends Record<string, TSchema>>(properties: T) =>
    Type.Object({ ...properties, allowedLateness }, { ...closed, description: 'Shape of the window.' });
  const ended = <T extends Record<string, TSchema>>(properties: T) =>
    Type.Object(properties, { ...closed, description: 'Shape of windows that readings end.' });
  return Type.Union(
    [
      shape({
        tumbling: positiveDuration({ description: 'Windows of this size, one after the other.', examples: ['1m'] }),
      }),
      shape({
        hopping: positiveDuration({ description: 'Windows of this size, which overlap.', examples: ['5m'] }),
        every: positiveDuration({ description: 'How often one begins; divides the size.', examples: ['1m'] }),
      }),
      shape({
        session: positiveDuration({
          description: 'Readings that follow each other; ends so long after the last.',
          examples: ['30s'],
        }),
      }),
      shape({
        calendar: oneOf(['day', 'week', 'month', 'year'], {
          description: 'Windows of the calendar; a week begins on Monday.',
        }),
        timeZone: text({ description: 'Where the days begin at midnight.', examples: ['Europe/Berlin'] }),
      }),
      ended({
        count: Type.Integer({ description: 'Windows of so many readings, as they come.', minimum: 1, examples: [100] }),
        every: optional(
          Type.Integer({
            description: 'With how many readings one begins. Default: where the one before has ended.',
            minimum: 1,
            examples: [10],
          }),
        ),
      }),
      ended({ while: stateCondition() }),
      ended({
        sliding: positiveDuration({
          description: 'With each reading a window of this size, which ends with it.',
          examples: ['10s'],
        }),
      }),
    ],
    { description: 'Shape of the window.' },
  );
}

/** Names of aggregates, at least one. */
export function aggregateList(vocabulary: Vocabulary, description: string) {
  const { aggregateNames, aggregatePatterns, allowedAggregates } = vocabulary;
  const aggregate = Type.Unsafe<string>({
    headgate: 'aggregate',
    type: 'string',
    description: allowedAggregates,
    anyOf: [{ enum: [...aggregateNames] }, ...aggregatePatterns.map((pattern) => ({ pattern }))],
  });
  return Type.Array(aggregate, { description, minItems: 1, examples: [['count', 'mean', 'min', 'max', 'p95']] });
}

/** How long the history keeps the results of one name. */
export const keep = optional(
  positiveDuration({
    description: 'How long the history keeps its results. Default: storage.history.maxAge.',
    examples: ['1y'],
  }),
);

/** What is computed over windows. */
export function windows(vocabulary: Vocabulary) {
  const definition = Type.Object(
    {
      name: componentName({ description: 'Name of this window, a tag of its results.', examples: ['minute'] }),
      series: seriesGlob({ description: 'Which series.', default: '*', examples: ['*/vibration'] }),
      window: windowShape(),
      aggregates: aggregateList(vocabulary, `What is computed: ${vocabulary.allowedAggregates}.`),
      keep,
      early: optional(
        positiveDuration({
          description:
            'How often a window gives what it has before its end, marked by the field partial. Default: never.',
          examples: ['10m'],
        }),
      ),
      late: oneOf(['count', 'store'], {
        description:
          'Readings that come too late: only counted, or stored too, one by one, under the name of the window with :late.',
        default: 'count',
      }),
      interpolation: oneOf(['step', 'linear'], {
        description: 'Between two readings: step holds the value until the next, linear moves evenly to it.',
        default: 'step',
      }),
      maxGap: optional(
        positiveDuration({
          description:
            'Readings further apart than this say nothing about the time between them. Default: any distance.',
          examples: ['1m'],
        }),
      ),
    },
    closed,
  );
  return list(definition, { description: 'What is computed over windows of event time.' });
}

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

/** The name of a detector's option in the file. */
export function optionKey(name: string): string {
  return name.endsWith('Ms') ? name.slice(0, -2) : name;
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

const reductionRule = Type.Object(
  {
    series: seriesGlob({ description: 'Which series.', examples: ['*/temperature'] }),
    deadband: optional(
      Type.Number({
        description: 'A number goes on when it differs from the last one by more than this; 0: every change.',
        minimum: 0,
      }),
    ),
    deadbandPercent: optional(
      Type.Number({ description: 'The same, in percent of the last one; with deadband both count.', minimum: 0 }),
    ),
    swingingDoor: optional(
      Type.Number({
        description: 'Straight lines between the numbers that go on come within this of all that do not.',
        minimum: 0,
      }),
    ),
    atLeastEvery: optional(
      positiveDuration({ description: 'After so long a reading goes on whatever its value.', examples: ['5m'] }),
    ),
    atMostEvery: optional(
      positiveDuration({ description: 'For so long after one that went on none does.', examples: ['1s'] }),
    ),
  },
  { ...closed, description: 'Which readings go on.' },
);

/** What goes on to windows and detectors. */
export const reduce = list(reductionRule, {
  description: 'Which readings go on to windows and detectors; the first rule that fits a series decides.',
});

/** Unit and scaling. */
export const series = list(seriesEntry, { description: 'Unit and scaling of series; later entries win.' });
