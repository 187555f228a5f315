import Type from 'typebox';
import { WEEKDAYS } from '../gateway/core/maintenance.ts';
import { date, oneOf, positiveDuration, seriesGlob, text } from './scalars.ts';
import { closed, list, optional, section } from './shapes.ts';

const flood = section(
  'When alarms come faster than anybody can read them. Those below critical are then kept, and told to nobody.',
  {
    above: Type.Integer({
      description: 'More alarms than this within the time are a flood; 0: there never is one.',
      default: 10,
      minimum: 0,
      maximum: 10_000,
    }),
    below: Type.Integer({
      description: 'A flood is over when fewer than this come within the time; at most as many as `above`.',
      default: 5,
      minimum: 1,
      maximum: 10_000,
    }),
    within: positiveDuration({ description: 'The time.', default: '10m' }),
  },
);

/** What becomes of the alarms of all rules on their way to people. */
export const alarms = section('How alarms reach people.', {
  maxShelving: positiveDuration({
    description: 'How long an operator may shelve an alarm at the most.',
    default: '24h',
  }),
  maxMaintenance: positiveDuration({
    description: 'How long a maintenance that an operator starts may last at the most.',
    default: '7d',
  }),
  groupWithin: positiveDuration({
    description: 'Alarms of one device belong together when each comes within this time of the one before.',
    default: '1m',
  }),
  flood,
});

const meant = {
  series: seriesGlob({ description: 'Which series.', examples: ['press-1/*'] }),
  reason: optional(text({ description: 'Why, for a person.', examples: ['cleaning'] })),
};

const once = Type.Object(
  {
    ...meant,
    from: date({ description: 'When it begins.', examples: ['2026-12-01T06:00:00+01:00'] }),
    to: date({ description: 'When it is over.', examples: ['2026-12-01T14:00:00+01:00'] }),
  },
  closed,
);

const weekly = Type.Object(
  {
    ...meant,
    on: Type.Array(oneOf(WEEKDAYS, { description: 'A day of the week.' }), {
      description: 'On which days it begins.',
      minItems: 1,
      examples: [['saturday']],
    }),
    at: text({ description: 'At what time of the day it begins.', examples: ['22:00'] }),
    for: positiveDuration({ description: 'How long it lasts, at most a week.', examples: ['8h'] }),
    timeZone: text({ description: 'Where that is the time of the day.', examples: ['Europe/Berlin'] }),
  },
  closed,
);

/** When series are not judged. */
export const maintenance = list(Type.Union([once, weekly]), {
  description:
    'When series are in maintenance: their readings go on to windows, and no detector judges them or learns from them.',
});
