import Type from 'typebox';
import { componentName, seriesGlob, text } from './scalars.ts';
import { closed, list, optional } from './shapes.ts';

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
      description: 'Expression in CEL over value, device, metric and tags.NAME; every number is a double.',
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
