import { type Static, Type } from 'typebox';
import { ALARM_STATES } from '../core/alarm.ts';
import { closed, count, limit, nullable, oneOf, seriesParameter, time } from './schema-words.ts';

const words = (maxLength: number, description: string) => Type.String({ minLength: 1, maxLength, description });

/** What may be asked of `GET /api/v1/alarms`. */
export const AlarmsQuery = Type.Object(
  {
    state: Type.Union(
      ['active', 'open', 'all'].map((state) => Type.Literal(state)),
      {
        default: 'all',
        description:
          'active: raised and not cleared; open: those, and the cleared ones that nobody has acknowledged; all: everything that is kept',
      },
    ),
    series: Type.Optional(seriesParameter),
    limit: limit(500, 10_000),
  },
  closed,
);
export type AlarmsQuery = Static<typeof AlarmsQuery>;

/** The path of what is done to an alarm. */
export const AlarmParams = Type.Object({ id: words(4096, 'Id of the alarm, percent-encoded') });
export type AlarmParams = Static<typeof AlarmParams>;

const by = Type.Optional(words(64, 'Who does it'));

/** The body of `POST /api/v1/alarms/{id}/acknowledge` and `/unshelve`; it may be left out. */
export const ByBody = nullable(Type.Object({ by }, closed));
export type ByBody = Static<typeof ByBody>;

/** The body of `POST /api/v1/alarms/acknowledge`. */
export const AcknowledgeBody = Type.Object(
  {
    ids: Type.Array(words(4096, 'Id of an alarm'), { minItems: 1, maxItems: 500, description: 'Which alarms' }),
    by,
  },
  closed,
);
export type AcknowledgeBody = Static<typeof AcknowledgeBody>;

/** The body of `POST /api/v1/alarms/{id}/shelve`. */
export const ShelveBody = Type.Object(
  {
    forSeconds: Type.Number({
      exclusiveMinimum: 0,
      maximum: 1e8,
      description: 'How long; at most alarms.maxShelving of the configuration',
    }),
    reason: words(512, 'Why, for who comes next'),
    by,
  },
  closed,
);
export type ShelveBody = Static<typeof ShelveBody>;

/** The body of `POST /api/v1/alarms/{id}/dismiss`. */
export const DismissBody = Type.Object({ reason: words(512, 'Why it was fine, for who comes next'), by }, closed);
export type DismissBody = Static<typeof DismissBody>;

/** An alarm with everything that has happened to it; the answer to what is done to it, too. */
export const Alarm = Type.Object({
  id: Type.String(),
  series: Type.String(),
  device: Type.String(),
  metric: Type.String(),
  detector: Type.String(),
  severity: Type.String({ description: 'info, warning or critical' }),
  priority: Type.Integer({ minimum: 1, maximum: 1000, description: 'The severity as OPC UA has it, 1 to 1000' }),
  state: oneOf(
    ALARM_STATES,
    'As ISA-18.2 has them. returned: over, and nobody has acknowledged it; normal: over and acknowledged; suppressed: told to nobody while too many come',
  ),
  score: Type.Number({ description: 'How unusual; 1 is the threshold of the detector' }),
  value: Type.Number(),
  message: Type.String(),
  raisedAt: time('Raised, in event time of the series'),
  clearedAt: nullable(time('Cleared')),
  acknowledgedAt: nullable(time('Acknowledged')),
  acknowledgedBy: nullable(Type.String({ description: 'By whom' })),
  group: nullable(Type.String({ description: 'Alarms of one device that came shortly one after the other bear one' })),
  count: Type.Integer({ minimum: 1, description: 'How often it has come; more than 1 where it chatters' }),
  suppressed: nullable(
    Type.Union([Type.Literal('shelved'), Type.Literal('flood')], { description: 'Why nobody was told' }),
  ),
  shelvedUntil: nullable(time('Shelved until')),
});

/** The answer of `GET /api/v1/alarms`. */
export const AlarmsReply = Type.Object({ alarms: Type.Array(Alarm, { description: 'Newest first' }) });

/** The answer of `GET /api/v1/alarms/groups`. */
export const AlarmGroupsReply = Type.Object({
  groups: Type.Array(
    Type.Object({
      id: Type.String({ description: 'That its alarms bear as group' }),
      device: Type.String(),
      severity: Type.String({ description: 'The highest of its alarms' }),
      priority: Type.Integer({ minimum: 1, maximum: 1000, description: 'The highest of its alarms' }),
      since: time('When the first of them was raised'),
      active: count('Of them, those that are active'),
      unacknowledged: count('Of them, those that nobody has seen'),
      message: Type.String({ description: 'One sentence for all of them' }),
      alarms: Type.Array(Alarm, { description: 'Newest first' }),
    }),
    { description: 'In the order of their newest alarms' },
  ),
});

/** What a status tells of the alarms. */
export const AlarmsStatus = Type.Object({
  active: Type.Object(
    { info: count('info'), warning: count('warning'), critical: count('critical') },
    { description: 'Raised and not cleared, by severity' },
  ),
  unacknowledged: count('Active or over, and seen by nobody'),
  returned: count('Of those the ones that are over'),
  shelved: Type.Array(
    Type.Object({
      id: Type.String({ description: 'Of the last alarm of what is shelved' }),
      series: Type.String(),
      by: Type.String(),
      reason: Type.String(),
      until: time('Shelved until'),
    }),
  ),
  flood: nullable(
    Type.Object(
      { since: time('Began'), raised: count('Alarms raised in it'), suppressed: count('Told to nobody') },
      { description: 'While too many alarms come at once' },
    ),
  ),
  perTenMinutes: Type.Object(
    { average: count('On average'), most: count('At most') },
    { description: 'Alarms raised in ten minutes, in the last day (ISA-18.2)' },
  ),
  raisedTotal: count('Alarms raised since the storage was begun'),
  shelvedTotal: count('Raised while shelved'),
  floodedTotal: count('Raised in a flood, and told to nobody'),
  chatteringTotal: count('That came again and again, and are one since'),
  dismissedTotal: count('That an operator said were fine'),
  forgottenTotal: count('Over, acknowledged by nobody, and not listed any more as there were too many'),
});
