import Type, { type TSchema } from 'typebox';
import { componentName, duration, oneOf, path, positiveDuration, seriesGlob, text, wordOrWords } from './scalars.ts';
import { closed, list, optional } from './shapes.ts';
import type { Vocabulary } from './vocabulary.ts';

const derivation = Type.Object(
  {
    name: componentName({ description: 'Name of this derivation, in status and metrics.', examples: ['fahrenheit'] }),
    series: seriesGlob({ description: 'Which series it is derived from.', examples: ['*/temperature'] }),
    metric: optional(
      text({
        description: 'Metric of the derived series; device and tags stay. Default: the name.',
        examples: ['temperature_f'],
      }),
    ),
    unit: optional(text({ description: 'Unit of the derived series.', examples: ['°F'] })),
    value: text({
      description:
        'Expression in CEL over value, device, metric, tags.NAME and TABLE.COLUMN; every number is a double.',
      examples: ['value * 9 / 5 + 32'],
    }),
  },
  { ...closed, description: 'A series that follows from another one, reading by reading.' },
);

/** Series by expression. */
export const derive = list(derivation, {
  description:
    'Series derived from others by expression; windows, detectors, joins and further derivations see them like any other.',
});

const table = Type.Object(
  {
    name: text({ description: 'Name of this table, as expressions name it: machines.rated.', examples: ['machines'] }),
    file: path({
      description:
        'CSV with a line of names (.csv), or YAML with a group of cells under each key. Read again when it changes.',
      examples: ['machines.csv'],
    }),
    key: text({
      description: 'What the keys are: device, or the name of a tag; in CSV the name of their column.',
      default: 'device',
    }),
    tags: Type.Array(text({ description: 'Name of a column.' }), {
      description: 'Columns that go onto results as tags.',
      default: [],
      examples: [['hall']],
    }),
  },
  { ...closed, description: 'What is known of devices, beside what they say.' },
);

/** What is known of devices. */
export const tables = list(table, { description: 'What is known of devices, or of what a tag names, from files.' });

/** Which readings of the two sides belong together; the aggregates are those of a window join. */
function joinKinds(aggregates: readonly string[]) {
  const join = <T extends Record<string, TSchema>>(kind: T) =>
    Type.Object(
      {
        name: componentName({ description: 'Name of this join, in status and metrics.', examples: ['power'] }),
        left: seriesGlob({ description: 'Which series stand on the left.', examples: ['*/voltage'] }),
        right: seriesGlob({ description: 'Which series stand on the right.', examples: ['*/current'] }),
        on: wordOrWords({
          description: 'What is equal in series that belong together: device, the name of a tag, or a list of these.',
          default: ['device'],
          examples: ['device', ['device', 'phase']],
        }),
        ...kind,
        wait: optional(
          positiveDuration({
            description: 'How long a side that brings nothing new is waited for. Default: time.idleTimeout.',
            examples: ['2s'],
          }),
        ),
        metric: optional(
          text({
            description: 'Metric of the derived series; device and tags are those of the left. Default: the name.',
          }),
        ),
        unit: optional(text({ description: 'Unit of the derived series.', examples: ['W'] })),
        value: text({
          description:
            'Expression in CEL over left, right, device, tags.NAME and TABLE.COLUMN; every number is a double.',
          examples: ['left * right'],
        }),
      },
      {
        ...closed,
        description: 'A series computed from two others. One of within, asOf and tumbling says what belongs together.',
      },
    );
  return Type.Union([
    join({
      within: duration({
        description: 'All pairs no further apart than this. Or asOf, or tumbling.',
        examples: ['500ms'],
      }),
    }),
    join({
      asOf: duration({
        description: 'Each of the left with the last of the right, which may be so old.',
        examples: ['10m'],
      }),
    }),
    join({
      tumbling: positiveDuration({
        description: 'What both sides come to in the same window of this size.',
        examples: ['1m'],
      }),
      aggregate: oneOf(aggregates, {
        description: 'What a side comes to in a window; or pairs, each with each.',
        default: 'mean',
      }),
    }),
  ]);
}

/** Series computed from two others. */
export function join({ joinAggregates }: Pick<Vocabulary, 'joinAggregates'>) {
  return list(joinKinds(joinAggregates), { description: 'Series computed from two others, reading with reading.' });
}
