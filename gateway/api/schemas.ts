import { type Static, type TSchema, Type } from 'typebox';
import { AlarmsStatus } from './alarm-schemas.ts';
import { derivedStatuses, TableStatuses } from './derived-schema.ts';

/** How many rows a list route gives when the caller does not say. */
export const DEFAULT_LIMIT = 500;
/** The most rows a list route gives. */
export const MAX_LIMIT = 10_000;

/** Topics of the live stream, in the order they are documented. */
export const TOPICS = ['readings', 'aggregates', 'alarms', 'status'] as const;
/** One of `TOPICS`. */
export type Topic = (typeof TOPICS)[number];

const closed = { additionalProperties: false };
const time = (description: string) => Type.Number({ description: `${description}; epoch milliseconds, with fraction` });
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const count = (description: string) => Type.Number({ minimum: 0, description });
const names = (description: string) => Type.Record(Type.String(), Type.String(), { description });

/** RFC 9457, with the words that mend it. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'A name for the kind of problem; about:blank when the status says it all' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.Optional(Type.String({ description: 'What was attempted and what was wrong with which value' })),
    hint: Type.Optional(Type.String({ description: 'What is allowed, or how to recover' })),
    instance: Type.Optional(Type.String({ description: 'The path that was asked for' })),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          parameter: Type.String({ description: 'The query parameter, path part or body field' }),
          in: Type.String({ description: 'query, path, header or body' }),
          reason: Type.String({ description: 'What is allowed' }),
        }),
      ),
    ),
    reasons: Type.Optional(Type.Array(Type.String(), { description: 'Why the gateway is not ready' })),
  },
  { description: 'RFC 9457 problem details' },
);

const limit = (fallback: number, maximum: number) =>
  Type.Integer({ minimum: 1, maximum, default: fallback, description: 'At most this many rows, the newest' });
const moment = (description: string) =>
  Type.String({
    minLength: 1,
    maxLength: 40,
    description: `${description}; epoch milliseconds or ISO 8601 with a zone, for example 2026-01-31T12:00:00Z`,
  });
const seriesParameter = Type.String({
  minLength: 1,
  maxLength: 2048,
  description: 'Key of a series as /api/v1/series gives it',
});

/** What may be asked of `GET /api/v1/readings`. */
export const ReadingsQuery = Type.Object(
  {
    series: seriesParameter,
    from: Type.Optional(moment('Not before this source time')),
    to: Type.Optional(moment('Before this source time')),
    limit: limit(DEFAULT_LIMIT, MAX_LIMIT),
  },
  closed,
);
export type ReadingsQuery = Static<typeof ReadingsQuery>;

/** What may be asked of `GET /api/v1/aggregates`. */
export const AggregatesQuery = Type.Object(
  {
    series: seriesParameter,
    window: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 256,
        description: 'Name of a window, or of what came too late for it, NAME:late; every window when it is left out',
      }),
    ),
    from: Type.Optional(moment('Windows that start at or after this time')),
    to: Type.Optional(moment('Windows that start before this time')),
    limit: limit(DEFAULT_LIMIT, MAX_LIMIT),
  },
  closed,
);
export type AggregatesQuery = Static<typeof AggregatesQuery>;

/** What may be asked of `GET /api/v1/dead-letters`. */
export const DeadLettersQuery = Type.Object({ limit: limit(100, 1000) }, closed);
export type DeadLettersQuery = Static<typeof DeadLettersQuery>;

/** What may be said to `POST /api/v1/write`. */
export const WriteQuery = Type.Object(
  {
    precision: Type.Optional(
      Type.Union(
        ['ns', 'us', 'ms', 's'].map((unit) => Type.Literal(unit)),
        { default: 'ns', description: 'Unit of the timestamps' },
      ),
    ),
  },
  closed,
);
export type WriteQuery = Static<typeof WriteQuery>;

/** The body of `POST /api/v1/write`. */
export const WriteBody = Type.String({
  description: 'Line protocol: measurement[,tag=value…] field=value[,field=value…] [timestamp]',
});

/** The answer of `POST /api/v1/write`. */
export const Written = Type.Null({ description: 'Every reading is durable' });

/** What may be asked of `GET /api/v1/stream`. */
export const StreamQuery = Type.Object(
  {
    topics: Type.Optional(
      Type.String({
        maxLength: 100,
        description: `Comma-separated: ${TOPICS.join(', ')}; all of them when left out`,
      }),
    ),
  },
  closed,
);
export type StreamQuery = Static<typeof StreamQuery>;

const Value = Type.Union([Type.Number(), Type.Boolean(), Type.String()]);
const Quality = Type.Union([Type.Literal('good'), Type.Literal('uncertain'), Type.Literal('bad')]);
const State = Type.Union(
  ['starting', 'running', 'degraded', 'draining', 'stopped', 'failed'].map((state) => Type.Literal(state)),
  { description: 'degraded works, but somebody should look; failed is final' },
);

/** A reading as people are shown it. */
export const ReadingRow = Type.Object({
  sourceTime: time('When it was measured'),
  value: Value,
  quality: Quality,
  anomaly: Type.Boolean({ description: 'A detector called it an anomaly' }),
});

/** The answer of `GET /api/v1/readings`: the oldest first. */
export const ReadingsReply = Type.Object({
  series: Type.String(),
  readings: Type.Array(ReadingRow, { description: 'Oldest first' }),
});

const SeriesStatus = Type.Object({
  key: Type.String(),
  device: Type.String(),
  metric: Type.String(),
  tags: names('Further tags'),
  unit: nullable(Type.String()),
  last: nullable(ReadingRow),
  receivedTotal: count('Readings received'),
  rate: count('Readings a second over about the last ten seconds'),
  watermark: nullable(time('Readings with an earlier source time are expected to be in')),
  outOfOrdernessMs: nullable(count('How far readings may be out of order, given or learnt')),
  skewMs: nullable(
    Type.Number({ description: 'How far the clock of its device is ahead, by its readings of the last minutes' }),
  ),
});
/** The answer of `GET /api/v1/series`. */
export const SeriesReply = Type.Object({ series: Type.Array(SeriesStatus) });

const AggregateRow = Type.Object({
  series: Type.String(),
  window: Type.String(),
  start: time('Start of the window, inclusive'),
  end: time('End of the window, exclusive'),
  revision: Type.Integer({ description: '0, and one more for each correction by a late reading' }),
  good: Type.Number({ minimum: 0, maximum: 1, description: 'Share of readings with good quality' }),
  fields: Type.Record(Type.String(), Type.Number(), { description: 'The aggregates by name' }),
});
/** The answer of `GET /api/v1/aggregates`. */
export const AggregatesReply = Type.Object({
  aggregates: Type.Array(AggregateRow, { description: 'In ascending order of start' }),
});

const DeadLetter = Type.Object({
  origin: Type.String({ description: 'Name of the source or sink that refused it' }),
  reason: Type.String(),
  time: time('Set aside'),
  subject: Type.String({ description: 'Topic, node id or measurement' }),
  text: Type.String({ description: 'The payload read as UTF-8; what is not UTF-8 shows as U+FFFD' }),
  base64: Type.String({ description: 'The payload byte for byte, cut after 4096 bytes' }),
  bytes: Type.Integer({ minimum: 0, description: 'Bytes kept' }),
  times: Type.Integer({ minimum: 1, description: 'How many like it came in one moment, when only this one is kept' }),
});
/** The answer of `GET /api/v1/dead-letters`. */
export const DeadLettersReply = Type.Object({
  deadLetters: Type.Array(DeadLetter, { description: 'Newest first' }),
});

const counts = {
  received: count('The sum of all the others'),
  inFlight: count('Accepted, and not yet in a closed fate'),
  aggregated: count('Went into the analysis'),
  filtered: count('Left out by configuration'),
  duplicate: count('Delivered again: same series, time and value'),
  late: count('Came after the allowed lateness'),
  rejected: count('Set aside as a dead letter'),
  dropped: count('Lost: journaled, and not to be had any more'),
};
const Ledger = Type.Object(counts, { description: 'Every reading ends in exactly one place' });
const missing = { imbalance: Type.Integer({ description: 'received less all the others: 0, or readings were lost' }) };
const LedgerRow = Type.Object({ name: Type.String(), ...counts, ...missing });

/** What may be asked of `GET /api/v1/ledger`. */
export const LedgerQuery = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 1_100, default: 100, description: 'At most this many groups' }),
  },
  closed,
);
export type LedgerQuery = Static<typeof LedgerQuery>;

/** The answer of `GET /api/v1/ledger`. */
export const LedgerReply = Type.Object({
  total: Type.Object({ ...counts, ...missing }),
  sources: Type.Array(LedgerRow, { description: 'Where every reading of a source ended' }),
  groups: Type.Array(LedgerRow, {
    description:
      'The same readings by device, [site/]device: first those with most duplicate, late, rejected and dropped, then the busiest. ' +
      '(unknown) is data of which no device is known, (others) the devices beyond the first 1000',
  }),
  groupCount: count('Groups there are, shown or not'),
});

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
  state: Type.Union(
    ['synchronised', 'believed', 'waiting', 'unset'].map((state) => Type.Literal(state)),
    { description: 'believed: nobody says that it is wrong; waiting: not synchronised yet; unset: it cannot be right' },
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
  state: Type.Union(
    ['normal', 'tight', 'critical'].map((state) => Type.Literal(state)),
    { description: 'tight: live data and new series are given up; critical: sources wait too' },
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
  activeAlarms: count('Alarms raised and not cleared'),
  alarms: AlarmsStatus,
  series: Type.Object({
    count: count('Series seen'),
    max: count('The bound'),
    refusedTotal: count('How often a further series was refused since the start'),
  }),
  memory: Memory,
});

/** The answer of `GET /healthz`. */
export const HealthReply = Type.Object({ status: Type.Literal('ok') });
/** The answer of `GET /readyz` where it is ready; otherwise it is a `Problem` with the reasons. */
export const ReadyReply = Type.Object({ status: Type.Literal('ready') });
