import Type, { type TSchema } from 'typebox';
import { componentName, duration, numberOrText, oneOf, positiveDuration, seriesGlob, text } from './scalars.ts';
import { closed, list, optional } from './shapes.ts';
import type { Vocabulary } from './vocabulary.ts';

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
