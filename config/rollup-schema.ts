import Type from 'typebox';
import { aggregateList, keep } from './analysis-schema.ts';
import { componentName, oneOf, positiveDuration, text } from './scalars.ts';
import { closed, list, optional } from './shapes.ts';
import type { Vocabulary } from './vocabulary.ts';

const shape = Type.Union(
  [
    Type.Object(
      { tumbling: positiveDuration({ description: 'A whole multiple of what it is made from.', examples: ['1h'] }) },
      { ...closed, description: 'Shape of the rollup.' },
    ),
    Type.Object(
      {
        calendar: oneOf(['day', 'week', 'month', 'year'], {
          description: 'Windows of the calendar; a week begins on Monday.',
        }),
        timeZone: text({ description: 'Where the days begin at midnight.', examples: ['Europe/Berlin'] }),
      },
      { ...closed, description: 'Shape of the rollup.' },
    ),
  ],
  { description: 'Shape of the rollup.' },
);

/** What is made from windows by merging what they hold. */
export function rollups(vocabulary: Vocabulary) {
  const definition = Type.Object(
    {
      name: componentName({ description: 'Name of this rollup, a tag of its results.', examples: ['hour'] }),
      from: componentName({
        description: 'The tumbling or calendar windows, or the rollup, that it is made from.',
        examples: ['minute'],
      }),
      window: shape,
      aggregates: optional(
        aggregateList(
          vocabulary,
          'What is computed, as far as `from` keeps what it takes. Default: what `from` gives.',
        ),
      ),
      early: optional(
        positiveDuration({
          description: 'How often it gives what it has before its end, marked by the field partial. Default: never.',
          examples: ['10m'],
        }),
      ),
      keep,
    },
    closed,
  );
  return list(definition, {
    description: 'Larger windows made from smaller ones, for the same series, as hours and days from minutes.',
  });
}
