import { webhookKey } from '../gateway/base/webhook-secret.ts';
import { quoted } from './problems.ts';
import type { Partly, Report } from './report.ts';
import type { CheckedFile } from './schema.ts';
import { formatHostPort, type HostPort, isLoopback } from './units.ts';

type PartlyFile = Partly<CheckedFile>;
type Sink = CheckedFile['sinks'][number];
type Influxdb = Partly<Extract<Sink, { type: 'influxdb' }>>;
type Mqtt = Partly<Extract<Sink, { type: 'mqtt' }>>;
type Webhook = Partly<Extract<Sink, { type: 'webhook' }>>;
/** Sources as far as they have an address. */
type Addressed = {
  readonly type?: string | undefined;
  readonly listen?: Partly<HostPort> | undefined;
  readonly tls?: { readonly listen?: Partly<HostPort> | undefined } | undefined;
  readonly url?: string | undefined;
  readonly readings?: readonly ({ readonly topic?: string | undefined } | undefined)[] | undefined;
};

/** Headers of a webhook that tell of the message or the connection: nobody else may give them. */
const OWN_HEADERS =
  /^(webhook-(id|timestamp|signature)|content-(type|length|encoding)|transfer-encoding|connection|host|user-agent|expect|te|trailer|upgrade)$/i;

const MQTT_PORTS: Readonly<Record<string, number>> = { 'mqtt:': 1883, 'mqtts:': 8883, 'ws:': 80, 'wss:': 443 };
/** Topics of results below the prefix and the name of the gateway. */
const RESULT_TOPICS = [
  ['aggregates', '+', '+', '+'],
  ['alarms', '+', '+'],
];

/** Checks what a schema cannot say of sinks, and of sinks and sources together. */
export function checkSinks(file: PartlyFile, report: Report): void {
  file.sinks?.forEach((sink, index) => {
    const path = `sinks[${index}]`;
    if (sink?.type === 'influxdb') checkInfluxdb(sink as Influxdb, path, report);
    if (sink?.type === 'mqtt') checkMqtt(sink as Mqtt, file, path, report);
    if (sink?.type === 'webhook') checkWebhook(sink as Webhook, path, report);
  });
}

function checkInfluxdb({ token, user, password }: Influxdb, path: string, report: Report): void {
  if (token !== undefined && (user !== undefined || password !== undefined)) {
    report(`${path}.token`, 'token does not go together with user and password', 'give one or the other');
  }
  checkUser({ user, password }, path, report);
}

function checkUser(
  { user, password }: { user?: string | undefined; password?: unknown },
  path: string,
  report: Report,
) {
  if (password !== undefined && user === undefined) {
    report(`${path}.password`, 'there is a password but no user', 'give the user as well');
  }
}

function checkMqtt(sink: Mqtt, file: PartlyFile, path: string, report: Report): void {
  const { url, prefix, tls } = sink;
  checkUser(sink, path, report);
  if (prefix !== undefined) checkPrefix(prefix, `${path}.prefix`, report);
  if ((tls?.cert === undefined) !== (tls?.key === undefined)) {
    const [given, missing] = tls?.key === undefined ? ['cert', 'key'] : ['key', 'cert'];
    report(`${path}.tls.${given}`, `there is a ${given} but no ${missing}`, 'give both, or neither');
  }
  if (url === undefined || !URL.canParse(url)) return;
  const address = new URL(url);
  checkUserInfo(address, `${path}.url`, report);
  if (tls !== undefined && !/^(mqtts|wss):$/.test(address.protocol)) {
    report(
      `${path}.tls`,
      `a connection to ${address.protocol}// is not encrypted`,
      'write mqtts:// or wss://, or leave tls out',
    );
  }
  checkLoops(sink, address, file, path, report);
}

function checkPrefix(prefix: string, path: string, report: Report): void {
  const wrong = prefix.split('/').some((level) => level === '') || /[+#\p{Cc}]/u.test(prefix) || prefix.startsWith('$');
  if (!wrong) return;
  report(
    path,
    `not the beginning of a topic: got ${quoted(prefix)}`,
    'levels divided by /, without + # or control characters, that do not begin with $: headgate, plant-7/headgate',
  );
}

/** What the sink itself says is not told here: it knows its formats and secrets. */
function checkWebhook(sink: Webhook, path: string, report: Report): void {
  const { url, secret, headers, allowHttp, tls, format } = sink;
  for (const [name, value] of Object.entries(headers ?? {})) checkHeader(name, value, `${path}.headers`, report);
  if (secret !== undefined && webhookKey(secret) === undefined) {
    report(
      `${path}.secret`,
      'not a secret of Standard Webhooks',
      'whsec_ and 24 to 64 bytes in Base64, as of: echo whsec_$(openssl rand -base64 32)',
    );
  }
  if (url === undefined || !URL.canParse(url)) return;
  const address = new URL(url);
  const { protocol, username, password, hostname, pathname } = address;
  if (username !== '' || password !== '') {
    report(`${path}.url`, 'there is a user or a password in the address', 'give them as a header: Authorization');
  }
  if (protocol === 'http:' && allowHttp !== true && !isLoopback(hostname.replace(/^\[(.*)\]$/, '$1'))) {
    report(
      `${path}.url`,
      'alarms would go to another machine without encryption',
      'give an https address, or write allowHttp: true',
    );
  }
  if (protocol === 'http:' && tls !== undefined) {
    report(`${path}.tls`, 'a connection to http:// is not encrypted', 'write https://, or leave tls out');
  }
  if (format === 'ntfy' && pathname.endsWith('/')) {
    report(`${path}.url`, 'the address names no topic of ntfy', 'it is the last part: https://ntfy.example/press-hall');
  }
}

function checkHeader(name: string, value: string | undefined, path: string, report: Report): void {
  const at = `${path}.${/^[\w-]+$/.test(name) ? name : JSON.stringify(name)}`;
  if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) {
    report(at, `not the name of a header: ${quoted(name)}`, 'letters, digits and -');
  } else if (OWN_HEADERS.test(name)) {
    report(at, `the gateway gives the header ${name} itself`, 'leave it out');
  } else if (value !== undefined && /[^\t\x20-\x7e\x80-\xff]/.test(value)) {
    report(at, 'the value has characters that a header cannot have', 'a line break at the end is one of them');
  }
}

function checkUserInfo({ username, password }: URL, path: string, report: Report): void {
  if (username === '' && password === '') return;
  report(
    path,
    'there is a user or a password in the address',
    'give them as user and password, so that they stay hidden',
  );
}

/** A gateway must not read what it publishes itself: its results would be readings, of which it would make results. */
function checkLoops(sink: Mqtt, address: URL, file: PartlyFile, path: string, report: Report): void {
  const sources = ((file.sources ?? []) as readonly (Addressed | undefined)[]).filter((one) => one?.type === 'mqtt');
  const listens = sources.flatMap((source) => [source?.listen, source?.tls?.listen]);
  const own = [...listens, file.api?.listen].find((listen) => isAt(address, listen));
  if (own !== undefined) {
    report(
      `${path}.url`,
      `${formatHostPort(own as HostPort)} is the gateway itself: its broker would set the results aside, or take them for readings`,
      'give the address of another broker; programs on this machine can have results from the API, as server-sent events',
    );
  }
  const below = [...(sink.prefix ?? 'headgate').split('/'), file.gateway?.name ?? 'headgate'];
  for (const source of sources) {
    if (source?.url === undefined || !URL.canParse(source.url) || !isSamePlace(new URL(source.url), address)) continue;
    const topics = source.readings?.map((rule) => rule?.topic) ?? [];
    const filter = topics.find((topic) => topic !== undefined && mayMatch(topic, below));
    if (filter === undefined) continue;
    report(
      `${path}.prefix`,
      `a source of the same broker reads ${quoted(filter)}, and so the results that are published below ${below.join('/')}/`,
      'let it read other topics, or give another prefix',
    );
  }
}

function portOf({ port, protocol }: URL): number {
  return Number(port) || MQTT_PORTS[protocol]!;
}

function isSamePlace(a: URL, b: URL): boolean {
  return a.hostname === b.hostname && portOf(a) === portOf(b);
}

function isAt(address: URL, listen: Partly<HostPort> | undefined): boolean {
  if (listen?.host === undefined || listen.port !== portOf(address)) return false;
  const host = address.hostname.replace(/^\[(.*)\]$/, '$1');
  return (
    host === listen.host || (isLoopback(host) && (isLoopback(listen.host) || /^(0\.0\.0\.0|::)$/.test(listen.host)))
  );
}

/** Whether a topic filter fits topics of results below these levels. */
function mayMatch(filter: string, below: readonly string[]): boolean {
  const levels = filter.split('/');
  return RESULT_TOPICS.some((rest) => {
    const topic = [...below, ...rest];
    const isOpen = levels.at(-1) === '#';
    if (isOpen ? levels.length > topic.length + 1 : levels.length !== topic.length) return false;
    return levels.every((level, i) => /^[+_#]$/.test(level) || topic[i] === '+' || level === topic[i]);
  });
}
