import Type, { type Static } from 'typebox';
import { alarms, maintenance } from './alarm-schema.ts';
import { reduce, series, windows } from './analysis-schema.ts';
import { derive, join, tables } from './derive-schema.ts';
import { detect } from './detect-schema.ts';
import { rollups } from './rollup-schema.ts';
import { componentName, date, duration, hostPort, oneOf, path, positiveDuration, size } from './scalars.ts';
import { closed, optional, section, tags } from './shapes.ts';
import { sinks } from './sink-schema.ts';
import { sources } from './source-schema.ts';
import type { Vocabulary } from './vocabulary.ts';

export type { DetectorWords, Vocabulary } from './vocabulary.ts';

const gateway = section('Who this gateway is.', {
  name: componentName({
    description: 'Name of this gateway, as other systems see it.',
    default: 'headgate',
    examples: ['press-hall'],
  }),
  tags: tags('Tags that go onto everything that leaves this gateway.'),
});

const storage = section('Where data waits on the box, and how much of it.', {
  path: path({
    description:
      'Folder for the journal, the outbox, checkpoints and the history. Relative to the folder of this file.',
    default: '/var/lib/headgate',
  }),
  sync: oneOf(['always', '1s', 'never'], {
    description:
      'What a power cut may cost: nothing, because every acknowledgement waits for the disk (always); the last second (1s); or what the system had not written yet (never).',
    default: 'always',
  }),
  keepFree: size({
    description:
      'Space that is left free on the disk; below it nothing new is accepted. Results of what was accepted may take half of it, alarms three quarters.',
    default: '500 MiB',
  }),
  journal: section('Accepted readings, until a checkpoint has covered them.', {
    maxBytes: size({ description: 'Most that the journal may take; at least 16 MiB.', default: '512 MiB' }),
  }),
  outbox: section('Results, until every sink has taken them.', {
    maxBytes: size({ description: 'Most that the outbox may take; at least 4 MiB.', default: '2 GiB' }),
    maxAge: positiveDuration({
      description:
        'Results older than this are dropped, and counted; time when the gateway does not run does not count.',
      default: '30d',
    }),
    whenFull: oneOf(['block', 'drop-oldest', 'drop-newest', 'thin'], {
      description:
        'What a full outbox does: stop accepting readings, drop results, or thin them: every second window of a series goes, then three of four, and so on. What goes is counted.',
      default: 'thin',
    }),
  }),
  alarms: section('Alarms, until every sink has taken them: apart from other results, so that they outlive them.', {
    maxBytes: size({
      description: 'Most that waiting alarms may take, at least 4 MiB; then the oldest are dropped, and counted.',
      default: '128 MiB',
    }),
  }),
  history: section('Results and alarms kept on the box for the page, the API and Grafana.', {
    maxBytes: size({
      description:
        'Most that the history may take; then the oldest go, by what part they have of the time that they are kept.',
      default: '1 GiB',
    }),
    maxAge: positiveDuration({
      description: 'How long results are kept of which nothing else is said by `keep`.',
      default: '30d',
    }),
  }),
  checkpointEvery: positiveDuration({
    description: 'How often the state of the analysis is saved; a restart replays the readings since then.',
    default: '10s',
  }),
  maxSeries: Type.Integer({
    description:
      'Most series that are taken, at about 5 kB of memory each (device, metric and tags have 2 048 bytes at the most); readings of further ones are rejected, and counted.',
    default: 10_000,
    minimum: 1,
    maximum: 10_000_000,
  }),
  rememberedReadings: Type.Integer({
    description:
      'A reading that is sent again is recognised, and counts once, while it is among so many last ones of all devices, at 80 to 180 bytes of memory each, and twice that for texts. A restart reads them again from the journal. One HTTP request may write half as many values.',
    default: 65_536,
    minimum: 1_000,
    maximum: 1_000_000,
  }),
});

const time = section('What is believed about the times of readings.', {
  outOfOrderness: duration({
    description: 'How far behind the newest reading of its device a reading may be.',
    default: '0s',
  }),
  maxOutOfOrderness: optional(
    duration({
      description:
        'A device whose readings were further out of order in the last hour is allowed as much as they were, up to this. Without it nothing is learnt.',
    }),
  ),
  idleTimeout: positiveDuration({
    description: 'A device that sends nothing for this long no longer holds its windows open.',
    default: '10s',
  }),
  maxFuture: duration({
    description:
      'A reading further ahead of the clock than this gets the time at which it came, and quality uncertain.',
    default: '1h',
  }),
  earliest: date({ description: 'Readings older than this are rejected.', default: '2000-01-01' }),
  sync: oneOf(['auto', 'required', 'ignore'], {
    description:
      'Whether the clock of the box is waited for after a start: auto while a time service is at work on it, for syncWait at most; required until it is synchronised; ignore never. Until then readings without a time of their own are kept aside.',
    default: 'auto',
  }),
  syncWait: duration({
    description:
      'How long the clock is waited for. Afterwards it is believed; where it cannot be right, readings get an estimated time and are uncertain.',
    default: '2m',
  }),
});

/**
 * The schema of the whole file. It is what `load.ts` checks files with and, generated into `gateway.schema.json`, what editors
 * complete and explain with. A key that has a default may be left out.
 */
export function configurationSchema(vocabulary: Vocabulary) {
  return Type.Object(
    {
      gateway,
      storage,
      time,
      sources,
      series,
      windows: windows(vocabulary),
      rollups: rollups(vocabulary),
      reduce,
      tables,
      derive,
      join: join(vocabulary),
      detect: detect(vocabulary),
      alarms,
      maintenance,
      sinks,
      api: section('The page and the API.', {
        listen: hostPort({
          description: 'Address of the page and the API. Beyond this machine it needs allowAnonymous.',
          default: '127.0.0.1:8080',
        }),
        allowAnonymous: Type.Boolean({
          description: 'Let everybody who reaches the address see, acknowledge and write readings.',
          default: false,
        }),
      }),
      log: section('The log.', {
        level: oneOf(['debug', 'info', 'warn', 'error'], { description: 'What is logged.', default: 'info' }),
      }),
    },
    { ...closed, title: 'Headgate configuration', description: 'Configuration of a Headgate gateway.' },
  );
}

/** The file once checked: defaults filled in, durations in milliseconds, sizes in bytes, still in the words of the file. */
export type CheckedFile = Static<ReturnType<typeof configurationSchema>>;
