import { Type } from 'typebox';
import { AlarmsStatus } from './alarm-schemas.ts';
import { derivedStatuses, TableStatuses } from './derived-schema.ts';
import { Ledger, missing } from './ledger-schemas.ts';
import { Maintenance } from './maintenance-schemas.ts';
import { count, nullable, oneOf, time } from './schema-words.ts';

const State = oneOf(
  ['starting', 'running', 'degraded', 'draining', 'stopped', 'failed'],
  'degraded works, but somebody should look; failed is final',
);

const LogStatus = Type.Object({
  firstOffset: count('Offset of the oldest kept record'),
  firstOrdinal: count('Items before the oldest kept record, since it was created'),
  nextOffset: count('Offset of the next record'),
  durableOffset: count('Everything before it is durable'),
  bytes: count('Bytes on disk'),
  maxBytes: count('Most bytes it may take'),
  segments: count('Segment files'),
  oldestTime: Type.Optional(time('Wall time of the oldest kept record')),
  appendedItems: count('Items appended since it was created: what is kept, dropped, damaged, or was no longer needed'),
  keptItems: count('Items that can be read'),
  droppedItems: count('Dropped or thinned out because the log was full, or dropped because they were too old'),
  droppedBySeries: Type.Record(Type.String(), count('Items'), {
    description: 'The dropped ones by series, where it is known; at most 1 000 keys, the rest under (others)',
  }),
  damagedItems: count('Lost by damage on the disk'),
  quarantined: count('Damaged stretches set aside'),
  pendingBytes: count('Bytes kept in memory until they are safe on the disk'),
  maxPendingBytes: count('The most of them'),
  trouble: Type.Optional(Type.String({ description: 'What is wrong with the disk just now' })),
});

const SourceStatus = Type.Object({
  name: Type.String(),
  type: Type.String(),
  state: State,
  detail: Type.String({ description: 'One sentence for a person' }),
  numbers: Type.Record(Type.String(), Type.Number()),
  ledger: Ledger,
});

const SinkStatus = Type.Object({
  name: Type.String(),
  type: Type.String(),
  state: State,
  detail: Type.String({ description: 'One sentence for a person' }),
  ledger: Type.Object(
    {
      received: count('The sum of all the others'),
      delivered: count('Stored by the sink'),
      rejected: count('Refused for ever, and set aside as dead letters'),
      filtered: count('Without a place in this sink'),
      superseded: count('Not sent because a later revision had gone before'),
      dropped: count('Lost to a full buffer or to damage'),
      pending: count('Still to be delivered'),
      ...missing,
    },
    { description: 'Where every result ended for this sink, across restarts' },
  ),
  deliveredTotal: count('As in the ledger'),
  rejectedTotal: count('As in the ledger'),
  failedAttemptsTotal: count('Batches that must be sent again, since the start'),
  backlog: Type.Object({
    records: count('Records that wait'),
    items: count('Results in them'),
    bytes: count('Bytes they take on disk'),
    oldestAgeMs: nullable(count('How long the oldest has been waiting, in milliseconds')),
    drainSeconds: nullable(count('Seconds until it is gone as it shrinks now; null when it does not')),
    fullInSeconds: nullable(count('Seconds until there is no room for more as it grows now; null when it does not')),
  }),
});

const ClockStatus = Type.Object({
  state: oneOf(
    ['synchronised', 'believed', 'waiting', 'unset'],
    'believed: nobody says that it is wrong; waiting: not synchronised yet; unset: it cannot be right',
  ),
  detail: Type.String({ description: 'One sentence for a person' }),
  source: Type.String({ description: 'Who was asked and has answered' }),
  steppedTotal: count('How often the clock was set while the gateway ran'),
  lastStepMs: nullable(Type.Number({ description: 'By how much the last time, in milliseconds' })),
  provisionalReadings: count('Readings without a time of their own that wait until the time is known'),
  markedTotal: count('Readings that kept an estimated time, and are uncertain'),
});

const DeviceClocksStatus = Type.Object({
  aheadCount: count('Devices whose clock is more than five seconds ahead'),
  ahead: Type.Array(
    Type.Object({
      device: Type.String(),
      skewMs: count('By how much at least, in milliseconds'),
      restampedTotal: count('Its readings that were too far ahead to be believed'),
    }),
    { description: 'At most 20 of them, the furthest ahead first' },
  ),
  restampedTotal: count(
    'Readings too far ahead to be believed: they got the time at which they came, and are uncertain',
  ),
});

const Bound = Type.Object({
  name: Type.String({ description: 'What is held' }),
  used: count('How much just now'),
  max: count('The most it can be'),
  unit: Type.String(),
});

const Memory = Type.Object({
  rssBytes: count('Resident set'),
  rssLimitBytes: nullable(count('What it may come to, by cgroup and box; null where that is not known')),
  heapUsedBytes: count('Old generation of the JavaScript heap, with what is garbage already'),
  heapLimitBytes: count('Its limit'),
  state: oneOf(
    ['normal', 'tight', 'critical'],
    'tight: live data and new series are given up; critical: sources wait too',
  ),
  shedding: Type.Array(
    Type.Object({ name: Type.String(), active: Type.Boolean(), total: count('How often since the start') }),
    { description: 'What is given up while memory is short, in this order' },
  ),
  bounds: Type.Array(Bound, { description: 'What grows with load, and the most it can' }),
});

/** The answer of `GET /api/v1/status`. */
export const StatusReply = Type.Object({
  name: Type.String(),
  version: Type.String(),
  state: State,
  notReady: Type.Array(Type.String(), { description: 'Why data cannot be accepted and kept; empty when ready' }),
  startedAt: time('Start of the process'),
  uptimeMs: count('Milliseconds since then, by the monotonic clock'),
  now: time('The wall clock of the gateway'),
  clock: ClockStatus,
  deviceClocks: DeviceClocksStatus,
  sources: Type.Array(SourceStatus),
  sinks: Type.Array(SinkStatus),
  ledger: Ledger,
  journal: LogStatus,
  alarmOutbox: LogStatus,
  outbox: LogStatus,
  checkpoint: Type.Object({
    offset: Type.Number({ description: 'Offset in the journal that it covers' }),
    at: nullable(time('Written')),
    ageMs: nullable(count('Milliseconds since then')),
    bytes: count('Size'),
  }),
  reduction: Type.Array(
    Type.Object({
      series: Type.String({ description: 'The pattern of a rule' }),
      passed: count('Readings that went on'),
      filtered: count('Readings that said nothing new'),
    }),
    { description: 'What each rule of the reduction let go on' },
  ),
  tables: TableStatuses,
  derived: derivedStatuses(Ledger),
  detectors: Type.Object({
    count: count('Detectors of all series'),
    learning: count('Those that have not seen enough yet to call anything an anomaly'),
  }),
  activeAlarms: count('Alarms raised and not cleared'),
  alarms: AlarmsStatus,
  maintenance: Type.Array(Maintenance, { description: 'What is in maintenance just now' }),
  series: Type.Object({
    count: count('Series seen'),
    max: count('The bound'),
    refusedTotal: count('How often a further series was refused since the start'),
  }),
  memory: Memory,
});
