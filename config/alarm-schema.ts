import Type from 'typebox';
import { positiveDuration } from './scalars.ts';
import { section } from './shapes.ts';

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
  groupWithin: positiveDuration({
    description: 'Alarms of one device belong together when each comes within this time of the one before.',
    default: '1m',
  }),
  flood,
});
