import Type from 'typebox';
import {
  componentName,
  duration,
  hostPort,
  oneOf,
  pemFile,
  positiveDuration,
  secret,
  size,
  text,
  topicFilter,
  url,
} from './scalars.ts';
import { closed, list, optional, PASSWORD, section, tags } from './shapes.ts';

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
      description:
        'Largest packet; a client that sends a larger one is disconnected. Payloads above 1 MiB are set aside, their clients stay.',
      default: '2 MiB',
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

/** Where readings come from. */
export const sources = list(Type.Union([mqttBroker, mqttClient, opcua]), { description: 'Where readings come from.' });
