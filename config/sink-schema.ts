// biome-ignore-all lint/suspicious/noTemplateCurlyInString: descriptions show how a file refers to the environment
import Type from 'typebox';
import { componentName, oneOf, pemFile, positiveDuration, secret, seriesGlob, text, url } from './scalars.ts';
import { closed, list, optional, PASSWORD, section } from './shapes.ts';

const sinkName = (example: string) =>
  componentName({ description: 'Name of this sink, in status and metrics.', examples: [example] });

const batch = ({ of, maxItems }: { readonly of: string; readonly maxItems: number }) =>
  section('How much is sent at a time.', {
    maxItems: Type.Integer({
      description: `Most ${of} at a time.`,
      default: maxItems,
      minimum: 1,
      maximum: 100_000,
    }),
    every: positiveDuration({ description: 'A batch that is not full is sent after this long.', default: '1s' }),
  });

const catchUp = (of: string) =>
  section('What is sent first after an outage. Alarms always go before everything else.', {
    order: oneOf(['newest-first', 'in-order'], {
      description:
        'newest-first: what is new goes at once, and what has waited follows. in-order: what has waited goes first.',
      default: 'newest-first',
    }),
    maxPerSecond: Type.Integer({
      description: `With newest-first: most ${of} in a second of what has waited.`,
      default: 20_000,
      minimum: 1,
      maximum: 10_000_000,
    }),
  });

const severity = oneOf(['info', 'warning', 'critical'], {
  description: 'Alarms that matter less do not go out.',
  default: 'info',
});
const alarmSeries = seriesGlob({ description: 'Only alarms of these series go out.', default: '*' });

const influxdb = Type.Object(
  {
    name: sinkName('influx'),
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
    batch: batch({ of: 'points', maxItems: 5000 }),
    catchUp: catchUp('points'),
  },
  { ...closed, description: 'An InfluxDB.' },
);

const mqtt = Type.Object(
  {
    name: sinkName('hall'),
    type: Type.Literal('mqtt', { description: 'MQTT.' }),
    url: url(['mqtt', 'mqtts', 'ws', 'wss'], {
      description: 'Address of a broker; not that of the gateway itself.',
      examples: ['mqtt://broker.local:1883'],
    }),
    clientId: optional(text({ description: 'Client id. Default: headgate-<gateway>-<sink>.' })),
    user: optional(text({ description: 'User at that broker.' })),
    password: optional(secret(PASSWORD)),
    tls: optional(
      Type.Object(
        {
          ca: optional(
            pemFile({ description: "Path of the PEM file of the authorities to trust. Default: the system's." }),
          ),
          cert: optional(
            pemFile({
              description: "Path of the PEM file of the gateway's own certificate, where the broker wants one.",
            }),
          ),
          key: optional(pemFile({ description: 'Path of the PEM file of its private key.' })),
        },
        { ...closed, description: 'Certificates of an encrypted connection.' },
      ),
    ),
    qos: oneOf([0, 1], {
      description:
        'Quality of service. 1: the broker acknowledges each message, and what it did not acknowledge is kept. 0: a message may be lost with the connection.',
      default: 1,
    }),
    prefix: text({
      description: 'Begins every topic, before the name of the gateway.',
      default: 'headgate',
      examples: ['plant-7/headgate'],
    }),
    aggregates: Type.Boolean({ description: 'Publish the results of windows.', default: true }),
    alarms: section('Which alarms are published.', { severity, series: alarmSeries }),
    timeout: positiveDuration({
      description: 'How long a connection, and acknowledgements, are waited for.',
      default: '10s',
    }),
    batch: batch({ of: 'messages', maxItems: 1000 }),
    catchUp: catchUp('messages'),
  },
  { ...closed, description: 'A topic for each series on an MQTT broker.' },
);

const webhook = Type.Object(
  {
    name: sinkName('phones'),
    type: Type.Literal('webhook', { description: 'Alarms, told to an HTTP server.' }),
    url: url(['https', 'http'], {
      description: 'Address that alarms are posted to.',
      examples: ['https://alerts.example/hooks/headgate', '${WEBHOOK_URL}'],
    }),
    secret: optional(
      secret({
        description:
          'Signs what is sent, as Standard Webhooks says: whsec_ and 24 to 64 bytes in Base64; in clear, as ${NAME} from the environment, or as { file: PATH }.',
      }),
    ),
    headers: Type.Record(
      Type.String(),
      secret({ description: 'Value: in clear, as ${NAME} from the environment, or as { file: PATH }.' }),
      { description: 'More headers.', default: {}, examples: [{ Authorization: '${WEBHOOK_TOKEN}' }] },
    ),
    format: oneOf(['json', 'alertmanager', 'slack', 'ntfy'], {
      description: 'What the receiver reads. slack: also Mattermost and others that take { "text": … }.',
      default: 'json',
    }),
    alarms: section('Which alarms are told.', { severity, series: alarmSeries }),
    timeout: positiveDuration({ description: 'How long an answer is waited for.', default: '10s' }),
    allowHttp: Type.Boolean({
      description: 'Send without encryption to another machine, too.',
      default: false,
    }),
    tls: optional(
      Type.Object(
        { ca: pemFile({ description: 'Path of the PEM file of the authorities to trust.' }) },
        { ...closed, description: 'Certificates of an https address.' },
      ),
    ),
  },
  { ...closed, description: 'An HTTP server that is told of alarms, each in a POST of its own.' },
);

/** Where results go. */
export const sinks = list(Type.Union([influxdb, mqtt, webhook]), {
  description: 'Where results go. The history on the box is always kept.',
});
