import Type, { type Static, type TSchema, type TUnsafe } from 'typebox';
import {
  componentName,
  date,
  duration,
  hostPort,
  oneOf,
  path,
  pemFile,
  positiveDuration,
  secret,
  seriesGlob,
  size,
  text,
  topicFilter,
  url,
  type Words,
} from './scalars.ts';
import { formatDuration } from './units.ts';

/**
 * What the file may name. The rooms do not know each other, so the front door says it; both shapes are those of the rooms.
 */
export interface Vocabulary {
  /** Names of aggregates. */
  readonly aggregateNames: readonly string[];
  /** Source of a regular expression for the aggregates with a number in their name, p0 to p100. */
  readonly percentilePattern: string;
  readonly detectors: readonly DetectorWords[];
}

/** A detector as the configuration knows it. */
export interface DetectorWords {
  readonly name: string;
  readonly description: string;
  /** True when it cannot say that an anomaly lasts: its alarms cannot be delayed. */
  readonly onsetOnly: boolean;
  readonly options: Readonly<Record<string, OptionWords>>;
  /** Throws a `GatewayError` where the options do not fit each other. */
  readonly factory: (options: Readonly<Record<string, number>>) => unknown;
}

/** An option of a detector: a number. One whose name ends in `Ms` is a duration, and stands in the file without the `Ms`. */
export interface OptionWords {
  readonly description: string;
  /** Taken where the option is left out. */
  readonly default?: number;
  readonly required?: boolean;
  /** Smallest allowed value; itself allowed unless `above` is true. */
  readonly min?: number;
  readonly above?: boolean;
  readonly max?: number;
  /** Only whole numbers. */
  readonly whole?: boolean;
}

const PASSWORD = {
  description: `Password: in clear, as \${NAME} from the environment, or as { file: PATH }.`,
};

const closed = { additionalProperties: false } as const;

/** A part of the file with defaults for all its keys, so that it may be left out as a whole. */
function section<T extends Record<string, TSchema>>(description: string, properties: T) {
  return Type.Object(properties, { ...closed, description, default: {} });
}

function list<T extends TSchema>(items: T, words: Words) {
  return Type.Array(items, { default: [], ...words });
}

const optional = Type.Optional;

const tags = (description: string) =>
  Type.Record(Type.String(), Type.String({ minLength: 1 }), {
    description,
    default: {},
    examples: [{ site: 'plant-7' }],
  });

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
    description: 'Space that is left free on the disk; below it nothing new is accepted.',
    default: '500 MiB',
  }),
  journal: section('Accepted readings, until a checkpoint has covered them.', {
    maxBytes: size({ description: 'Most that the journal may take.', default: '512 MiB' }),
  }),
  outbox: section('Results, until every sink has taken them.', {
    maxBytes: size({ description: 'Most that the outbox may take.', default: '2 GiB' }),
    maxAge: positiveDuration({ description: 'Results older than this are dropped, and counted.', default: '30d' }),
    whenFull: oneOf(['block', 'drop-oldest', 'drop-newest'], {
      description: 'What a full outbox does: stop accepting readings, or drop results and count them.',
      default: 'drop-oldest',
    }),
  }),
  history: section('Results and alarms kept on the box for the page, the API and Grafana.', {
    maxBytes: size({ description: 'Most that the history may take; the oldest go first.', default: '1 GiB' }),
    maxAge: positiveDuration({ description: 'How long results are kept.', default: '30d' }),
  }),
  checkpointEvery: positiveDuration({
    description: 'How often the state of the analysis is saved; a restart replays the readings since then.',
    default: '10s',
  }),
  maxSeries: Type.Integer({
    description: 'Most series that are taken; readings of further ones are rejected, and counted.',
    default: 100_000,
    minimum: 1,
    maximum: 10_000_000,
  }),
});

const time = section('What is believed about the times of readings.', {
  outOfOrderness: duration({
    description: 'How far behind the newest reading of its device a reading may be.',
    default: '0s',
  }),
  idleTimeout: positiveDuration({
    description: 'A device that sends nothing for this long no longer holds its windows open.',
    default: '10s',
  }),
  maxFuture: duration({ description: 'Readings further ahead of the clock than this are rejected.', default: '1h' }),
  earliest: date({ description: 'Readings older than this are rejected.', default: '2000-01-01' }),
});

const json = Type.Object(
  {
    value: optional(
      text({
        description:
          'Path of the value. Without `value` and `values`: a bare value, the member `value`, or an object of values.',
        examples: ['value', 'data.temperature'],
      }),
    ),
    values: optional(
      text({
        description: 'Path of an object whose members are metrics with their values; `.` is the payload itself.',
        examples: ['readings', '.'],
      }),
    ),
    time: optional(
      text({ description: 'Path of the time. Without it, a reading gets the time it was received.', examples: ['ts'] }),
    ),
    timeUnit: oneOf(['s', 'ms', 'us', 'ns', 'iso'], {
      description: 'Unit of the time; iso is a date in ISO 8601.',
      default: 'ms',
    }),
    metric: optional(text({ description: 'Path of the name of the metric.', examples: ['sensor'] })),
    device: optional(text({ description: 'Path of the name of the device.', examples: ['id'] })),
    quality: optional(
      text({
        description: 'Path of the quality: good, uncertain or bad, or an OPC-UA status code.',
        examples: ['quality'],
      }),
    ),
    text: Type.Boolean({
      description:
        'Take text as a value; otherwise it is set aside, because it is most often a number sent by mistake.',
      default: false,
    }),
  },
  {
    ...closed,
    description: 'Payloads are JSON. This is what a rule without a format reads.',
    examples: [{ value: 'value', time: 'ts', timeUnit: 'ms' }],
  },
);

const rule = Type.Object(
  {
    topic: topicFilter({
      description: 'Topics this rule reads; + or _ stands for one level, # for the rest.',
      examples: ['sensors/_/+'],
    }),
    template: optional(
      text({
        description:
          'Names the levels of the topic: device, metric, or the name of a tag; _ skips one, and * at the end of the last word takes all that are left. Default: the last level is the metric, the one before it the device.',
        examples: ['_/device/metric', '_/site/device/metric'],
      }),
    ),
    device: optional(text({ description: 'Name of the device, where the topic does not say.', examples: ['press-1'] })),
    metric: optional(
      text({ description: 'Name of the metric, where the topic does not say.', examples: ['oil_temperature'] }),
    ),
    tags: tags('Further tags of these series.'),
    unit: optional(text({ description: 'Unit of measure.', examples: ['°C'] })),
    json: optional(json),
    plain: optional(
      Type.Boolean({
        description: 'Payloads are one value as text: 21.5, true.',
      }),
    ),
    line: optional(
      Type.Object(
        { precision: oneOf(['ns', 'us', 'ms', 's'], { description: 'Unit of the times.', default: 'ns' }) },
        { ...closed, description: 'Payloads are InfluxDB line protocol.' },
      ),
    ),
  },
  { ...closed, description: 'How messages become readings.' },
);

const sourceName = componentName({ description: 'Name of this source, in status and metrics.', examples: ['floor'] });
const readings = list(rule, {
  description: 'Which topics are read, and how. The first rule that fits a topic is used.',
});

const mqttBroker = Type.Object(
  {
    name: sourceName,
    type: Type.Literal('mqtt', { description: 'MQTT.' }),
    listen: hostPort({
      description: 'Address of the embedded broker. Beyond this machine it needs users, or allowAnonymous.',
      default: '127.0.0.1:1883',
      examples: ['0.0.0.0:1883'],
    }),
    tls: optional(
      Type.Object(
        {
          cert: pemFile({ description: 'Path of the PEM file of the certificate, with its chain.' }),
          key: pemFile({ description: 'Path of the PEM file of the private key.' }),
          listen: hostPort({
            description: 'Address of the encrypted port.',
            default: '127.0.0.1:8883',
            examples: ['0.0.0.0:8883'],
          }),
        },
        { ...closed, description: 'A second, encrypted port.' },
      ),
    ),
    users: list(
      Type.Object(
        {
          name: text({ description: 'Name of the user.', examples: ['sensors'] }),
          password: secret(PASSWORD),
        },
        closed,
      ),
      { description: 'Who may connect.' },
    ),
    allowAnonymous: optional(
      Type.Boolean({
        description: 'Let clients in without a user. Default: only on the loopback address, while there are no users.',
      }),
    ),
    maxPacketBytes: size({
      description: 'Largest packet; a client that sends a larger one is disconnected.',
      default: '1 MiB',
    }),
    maxConnections: Type.Integer({
      description: 'Most clients at a time.',
      default: 10_000,
      minimum: 1,
      maximum: 1_000_000,
    }),
    readings,
  },
  { ...closed, description: 'The embedded MQTT broker.' },
);

const mqttClient = Type.Object(
  {
    name: sourceName,
    type: Type.Literal('mqtt', { description: 'MQTT.' }),
    url: url(['mqtt', 'mqtts', 'ws', 'wss'], {
      description: 'Address of another broker.',
      examples: ['mqtt://broker.local:1883'],
    }),
    clientId: optional(text({ description: 'Client id of the session. Default: headgate-<gateway>-<source>.' })),
    user: optional(text({ description: 'User at that broker.' })),
    password: optional(secret(PASSWORD)),
    qos: oneOf([0, 1, 2], { description: 'Quality of service of the subscription.', default: 1 }),
    readings,
  },
  { ...closed, description: 'A client of another MQTT broker.' },
);

const sampling = {
  device: text({ description: 'Name of the device.', examples: ['press-1'] }),
  deadband: optional(
    Type.Number({
      description: 'The server reports only changes larger than this, in the unit of the value.',
      minimum: 0,
    }),
  ),
  sampling: optional(
    duration({
      description: 'How often the server samples. Default: 0s, as fast as it can.',
    }),
  ),
  queueSize: optional(
    Type.Integer({
      description: 'How many changes the server keeps through an outage: outage ÷ sampling. Default: 1000.',
      minimum: 1,
      maximum: 1_000_000,
    }),
  ),
};

const opcua = Type.Object(
  {
    name: sourceName,
    type: Type.Literal('opcua', { description: 'OPC-UA.' }),
    endpoint: url(['opc.tcp'], { description: 'Address of the server.', examples: ['opc.tcp://press.local:4840'] }),
    security: section('How the connection is protected.', {
      policy: oneOf(['None', 'Basic256Sha256', 'Aes128_Sha256_RsaOaep', 'Aes256_Sha256_RsaPss'], {
        description: 'Security policy.',
        default: 'None',
      }),
      mode: optional(
        oneOf(['None', 'Sign', 'SignAndEncrypt'], {
          description: 'Security mode. Default: SignAndEncrypt with a policy, None without.',
        }),
      ),
      user: optional(text({ description: 'User at the server.' })),
      password: optional(secret(PASSWORD)),
    }),
    publishingInterval: positiveDuration({ description: 'How often the server reports changes.', default: '500ms' }),
    nodes: list(
      Type.Union([
        Type.Object(
          {
            id: text({
              description: 'Node id; the namespace by its address, so that it survives a restart of the server.',
              examples: ['nsu=http://acme.example/press;s=Oil.Temperature'],
            }),
            metric: text({ description: 'Name of the metric.', examples: ['oil_temperature'] }),
            unit: optional(text({ description: 'Unit of measure.', examples: ['°C'] })),
            ...sampling,
          },
          { ...closed, description: 'One node.' },
        ),
        Type.Object(
          {
            browse: text({
              description: 'Browse path; * is one level, ** is everything below.',
              examples: ['Objects/Press/**'],
            }),
            ...sampling,
          },
          { ...closed, description: 'Every variable below a path.' },
        ),
      ]),
      { description: 'What is read.' },
    ),
  },
  { ...closed, description: 'A client of an OPC-UA server.' },
);

const series = Type.Object(
  {
    series: seriesGlob({
      description: 'Which series: *, device/metric, or site/device/metric, with * inside the parts.',
      examples: ['press-1/*'],
    }),
    unit: optional(text({ description: 'Unit of measure after scaling.', examples: ['°C'] })),
    scale: Type.Number({ description: 'Values are multiplied by this.', default: 1 }),
    offset: Type.Number({ description: 'Then this is added.', default: 0 }),
  },
  { ...closed, description: 'Unit and scaling of series.' },
);

const sink = Type.Object(
  {
    name: componentName({ description: 'Name of this sink, in status and metrics.', examples: ['influx'] }),
    type: Type.Literal('influxdb', { description: 'InfluxDB.' }),
    url: url(['http', 'https'], { description: 'Address of the server.', examples: ['http://localhost:8086'] }),
    database: text({ description: 'Database.', default: 'headgate' }),
    user: optional(text({ description: 'User.' })),
    password: optional(secret(PASSWORD)),
    token: optional(secret({ description: 'Token, in place of user and password.' })),
    version: oneOf([1], { description: 'Version of the write API.', default: 1 }),
    gzip: Type.Boolean({ description: 'Compress what is sent.', default: true }),
    timeout: positiveDuration({ description: 'How long an answer is waited for.', default: '10s' }),
    createDatabase: Type.Boolean({ description: 'Create the database where it is missing.', default: true }),
    retentionPolicy: optional(text({ description: "Retention policy. Default: the database's own." })),
    batch: section('How much is sent at a time.', {
      maxItems: Type.Integer({
        description: 'Most points in one request.',
        default: 5000,
        minimum: 1,
        maximum: 100_000,
      }),
      every: positiveDuration({ description: 'A batch that is not full is sent after this long.', default: '1s' }),
    }),
  },
  { ...closed, description: 'An InfluxDB.' },
);

function windows({ aggregateNames, percentilePattern }: Vocabulary) {
  const aggregate = Type.Unsafe<string>({
    headgate: 'aggregate',
    type: 'string',
    anyOf: [{ enum: [...aggregateNames] }, { pattern: percentilePattern }],
  });
  const definition = Type.Object(
    {
      name: componentName({ description: 'Name of this window, a tag of its results.', examples: ['minute'] }),
      series: seriesGlob({ description: 'Which series.', default: '*', examples: ['*/vibration'] }),
      window: Type.Object(
        {
          tumbling: positiveDuration({
            description: 'Windows of this size, one after the other.',
            examples: ['1m'],
          }),
          allowedLateness: duration({
            description: 'A reading that comes this late still corrects its window.',
            default: '0s',
            examples: ['10s'],
          }),
        },
        { ...closed, description: 'Shape of the window.' },
      ),
      aggregates: Type.Array(aggregate, {
        description: `What is computed: ${aggregateNames.join(', ')}, or a percentile, p0 to p100.`,
        minItems: 1,
        examples: [['count', 'mean', 'min', 'max', 'p95']],
      }),
    },
    closed,
  );
  return list(definition, { description: 'What is computed over windows of event time.' });
}

/** A rule of `detect` once checked: the detector's options lie beside these keys. */
export interface CheckedDetect {
  series: string;
  detector: string;
  alarm?: { severity: 'info' | 'warning' | 'critical'; hold: number; delay: number; hysteresis: number };
}

const alarm = Type.Object(
  {
    severity: oneOf(['info', 'warning', 'critical'], { description: 'How bad it is.', default: 'warning' }),
    hold: duration({
      description: 'How long values must be normal again before the alarm is cleared.',
      default: '30s',
    }),
    delay: duration({
      description: 'How long an anomaly must last before the alarm is raised.',
      default: '0s',
    }),
    hysteresis: Type.Number({
      description:
        'How far below the threshold the score must fall before values count as normal again: 0 not at all, 1 all the way.',
      default: 0,
      minimum: 0,
      maximum: 1,
    }),
  },
  { ...closed, description: 'The alarm that an anomaly raises. Without it, anomalies are only marked.' },
);

function detect({ detectors }: Vocabulary) {
  const rules = detectors.map(({ name, description, options }) =>
    Type.Object(
      {
        series: seriesGlob({ description: 'Which series.', examples: ['*/temperature'] }),
        detector: Type.Literal(name, { description }),
        ...Object.fromEntries(Object.entries(options).map(([key, words]) => [optionKey(key), option(key, words)])),
        alarm: optional(alarm),
      },
      { ...closed, description },
    ),
  );
  const rule: TUnsafe<CheckedDetect> = Type.Unsafe<CheckedDetect>(Type.Union(rules));
  return list(rule, { description: 'What is judged, reading by reading.' });
}

/** The name of a detector's option in the file. */
export function optionKey(name: string): string {
  return name.endsWith('Ms') ? name.slice(0, -2) : name;
}

function option(name: string, words: OptionWords): TSchema {
  const schema = name.endsWith('Ms') ? durationOption(words) : numberOption(words);
  return words.required === true || words.default !== undefined ? schema : optional(schema);
}

function durationOption({ description, default: ms, above }: OptionWords): TSchema {
  const words = { description, ...(ms === undefined ? {} : { default: formatDuration(ms) }) };
  return above === true ? positiveDuration(words) : duration(words);
}

function numberOption({ description, default: value, min, above, max, whole }: OptionWords): TSchema {
  const least = min === undefined ? {} : above === true ? { exclusiveMinimum: min } : { minimum: min };
  const most = max === undefined ? {} : { maximum: max };
  const words = { description, ...(value === undefined ? {} : { default: value }), ...least, ...most };
  return whole === true ? Type.Integer(words) : Type.Number(words);
}

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
      sources: list(Type.Union([mqttBroker, mqttClient, opcua]), { description: 'Where readings come from.' }),
      series: list(series, { description: 'Unit and scaling of series; later entries win.' }),
      windows: windows(vocabulary),
      detect: detect(vocabulary),
      sinks: list(sink, { description: 'Where results go. The history on the box is always kept.' }),
      api: section('The page and the API.', {
        listen: hostPort({
          description: 'Address of the page and the API. Beyond this machine it needs allowAnonymous.',
          default: '127.0.0.1:8080',
        }),
        allowAnonymous: Type.Boolean({
          description: 'Let everybody who reaches the address see and acknowledge.',
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
