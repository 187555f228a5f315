import { checkAlarms, checkMaintenance } from './alarm-rules.ts';
import { checkDerived } from './derive-rules.ts';
import type { CheckedDetect, CheckedTogether } from './detect-schema.ts';
import { quoted } from './problems.ts';
import { type Partly, type Report, reportError } from './report.ts';
import { detectorOptions, groupedBy, isTogether, reductionOf } from './resolve.ts';
import { checkRollups } from './rollup-rules.ts';
import type { CheckedFile } from './schema.ts';
import { checkSinks } from './sink-rules.ts';
import { HTTP_SOURCE } from './source-configuration.ts';
import { checkStorage } from './storage-rules.ts';
import type { ReadTables } from './table-rules.ts';
import { checkDisorder } from './time-rules.ts';
import { formatHostPort, type HostPort, isLoopback } from './units.ts';
import type { Vocabulary } from './vocabulary.ts';
import { checkWindows } from './window-rules.ts';

type PartlyFile = Partly<CheckedFile>;
type Source = CheckedFile['sources'][number];
type Opcua = Extract<Source, { type: 'opcua' }>;
type Client = Extract<Source, { url: string }>;
type Broker = Exclude<Source, Opcua | Client>;
type PartlySource = NonNullable<NonNullable<PartlyFile['sources']>[number]>;
type PartlyRule = {
  readonly topic?: string | undefined;
  readonly template?: string | undefined;
  readonly json?: { readonly value?: string | undefined; readonly values?: string | undefined } | undefined;
  readonly plain?: boolean | undefined;
  readonly line?: object | undefined;
};

/** Checks what a schema cannot say: rules between several keys. The file may have parts missing that were invalid. */
export function checkRules(file: PartlyFile, tables: ReadTables, vocabulary: Vocabulary, report: Report): void {
  for (const key of ['sources', 'windows', 'rollups', 'tables', 'derive', 'join', 'sinks'] as const)
    uniqueNames(key, file[key] ?? [], report);
  checkStorage(file.storage ?? {}, report);
  file.sources?.forEach((source, index) => {
    if (source?.name === HTTP_SOURCE) {
      report(
        `sources[${index}].name`,
        `the name ${quoted(HTTP_SOURCE)} is that of the API's own source, which takes line protocol`,
        'choose another one',
      );
    }
    if (source !== undefined) checkSource(source, `sources[${index}]`, report);
  });
  const surroundings = {
    outOfOrderness: checkDisorder(file.time ?? {}, report),
    historyMaxAge: file.storage?.history?.maxAge,
  };
  const { windows = [], rollups = [] } = file;
  checkWindows(windows, surroundings, vocabulary, report);
  checkRollups({ windows, rollups, historyMaxAge: surroundings.historyMaxAge }, vocabulary, report);
  file.reduce?.forEach((rule, index) => {
    if (rule?.series === undefined) return;
    const settings = reductionOf({ ...rule, series: rule.series });
    reportError(`reduce[${index}]`, report, () => vocabulary.checkReduction(settings));
  });
  checkDerived(file, tables, vocabulary, report);
  file.detect?.forEach((rule, index) => {
    if (rule?.detector === undefined) return;
    const whole = rule as CheckedDetect | CheckedTogether;
    if (isTogether(whole)) checkTogether(whole, `detect[${index}]`, vocabulary, report);
    else checkDetect(whole, `detect[${index}]`, vocabulary, report);
  });
  checkAlarms(file.alarms ?? {}, report);
  checkMaintenance(file.maintenance ?? [], vocabulary, report);
  checkSinks(file, report);
  checkExposure('api', file.api?.listen, file.api?.allowAnonymous === true, 'write allowAnonymous: true', report);
}

function uniqueNames(
  key: string,
  items: readonly ({ readonly name?: string | undefined } | undefined)[],
  report: Report,
): void {
  const names = items.map((item) => item?.name);
  names.forEach((name, index) => {
    const first = names.indexOf(name);
    if (name === undefined || first === index) return;
    report(
      `${key}[${index}].name`,
      `the name ${quoted(name)} is taken by ${key}[${first}]`,
      `each of ${key} needs a name of its own`,
    );
  });
}

function checkSource(source: PartlySource, path: string, report: Report): void {
  if (source.type === 'opcua') {
    checkOpcua(source as Partly<Opcua>, path, report);
    return;
  }
  const { readings } = source as Partly<Broker | Client>;
  readings?.forEach((rule, index) => {
    if (rule !== undefined) checkReadingRule(rule, `${path}.readings[${index}]`, report);
  });
  if (!('url' in source)) {
    checkBroker(source as Partly<Broker>, path, report);
    return;
  }
  const { user, password } = source as Partly<Client>;
  if (password !== undefined && user === undefined) {
    report(`${path}.password`, 'there is a password but no user', 'give the user as well');
  }
}

function checkBroker(broker: Partly<Broker>, path: string, report: Report): void {
  const users = broker.users ?? [];
  users.forEach((user, index) => {
    const name = user?.name;
    if (name === undefined) return;
    if (/[+#/$]|\p{Cc}/u.test(name)) {
      report(
        `${path}.users[${index}].name`,
        `a user name must not contain + # / $ or control characters: got ${quoted(name)}`,
      );
    }
    if (users.findIndex((other) => other?.name === name) !== index) {
      report(`${path}.users[${index}].name`, `the user ${quoted(name)} is there twice`, 'leave one out');
    }
  });
  if (broker.allowAnonymous === false && users.length === 0) {
    report(
      `${path}.allowAnonymous`,
      'nobody could connect: there are no users',
      'add users, or leave allowAnonymous out',
    );
  }
  const open = broker.allowAnonymous === true || users.length > 0;
  const remedy = 'add users, or write allowAnonymous: true';
  checkExposure(path, broker.listen as HostPort | undefined, open, remedy, report);
  checkExposure(`${path}.tls`, broker.tls?.listen as HostPort | undefined, open, remedy, report);
}

/** Nothing listens beyond the machine until somebody has said who may come. */
function checkExposure(
  path: string,
  listen: Partly<HostPort> | undefined,
  open: boolean,
  remedy: string,
  report: Report,
): void {
  if (listen?.host === undefined || open || isLoopback(listen.host)) return;
  const address = formatHostPort(listen as HostPort);
  report(
    `${path}.listen`,
    `${address} can be reached from other machines, and everybody could connect`,
    `${remedy}, or listen on 127.0.0.1`,
  );
}

function checkReadingRule(rule: PartlyRule, path: string, report: Report): void {
  const formats = [rule.json && 'json', rule.plain === true && 'plain', rule.line && 'line'].filter(Boolean);
  if (formats.length > 1)
    report(`${path}.${formats[1]}`, `${formats.join(' and ')} do not go together`, 'a rule reads one format');
  if (rule.json?.value !== undefined && rule.json.values !== undefined) {
    report(
      `${path}.json.values`,
      'value and values do not go together',
      'value is one value, values an object of them',
    );
  }
  if (rule.template !== undefined) checkTemplate(rule.template, rule.topic, `${path}.template`, report);
}

function checkTemplate(template: string, topic: string | undefined, path: string, report: Report): void {
  const words = template.split('/');
  const open = template.endsWith('*');
  const wrong = words.find((word, index) => {
    const name = open && index === words.length - 1 ? word.slice(0, -1) : word;
    return name !== '_' && !/^[A-Za-z][A-Za-z0-9_-]*$/.test(name);
  });
  if (wrong !== undefined) {
    report(
      path,
      `not a word of a template: ${quoted(wrong)}`,
      'allowed are _, device, metric, and names of tags; the last may end in *',
    );
  }
  const levels = topic?.split('/') ?? ['#'];
  if (levels.at(-1) === '#') return;
  if (open ? levels.length >= words.length : levels.length === words.length) return;
  report(
    path,
    `the template names ${words.length} levels, but the topic ${quoted(topic)} has ${levels.length}`,
    'name as many levels as the topic has; _ skips one',
  );
}

function checkOpcua(source: Partly<Opcua>, path: string, report: Report): void {
  const { policy, mode, user, password } = source.security ?? {};
  if (policy !== undefined && mode !== undefined && (policy === 'None') !== (mode === 'None')) {
    report(`${path}.security`, `policy ${policy} does not go together with mode ${mode}`, 'both are None, or neither');
  }
  if ((user === undefined) !== (password === undefined)) {
    report(
      `${path}.security`,
      user === undefined ? 'there is a password but no user' : 'there is a user but no password',
      'give both, or neither',
    );
  }
}

function checkTogether(rule: CheckedTogether, path: string, vocabulary: Vocabulary, report: Report): void {
  const { together } = rule;
  // What is wrong with a pattern is told where it stands.
  if (together.length === 0 || together.includes(undefined as unknown as string)) return;
  reportError(`${path}.together`, report, () => vocabulary.checkTogether({ together, on: groupedBy(rule) }));
}

function checkDetect(rule: CheckedDetect, path: string, vocabulary: Vocabulary, report: Report): void {
  const words = vocabulary.detectors.find(({ name }) => name === rule.detector);
  if (words === undefined) return;
  const options = detectorOptions(rule, vocabulary);
  const complete = Object.entries(words.options).every(
    ([name, { required }]) => required !== true || Object.hasOwn(options, name),
  );
  if (complete) reportError(path, report, () => words.factory(options));
  if (words.onsetOnly && (rule.alarm?.delay ?? 0) > 0) {
    report(
      `${path}.alarm.delay`,
      `${rule.detector} tells only the onset of an anomaly, so its alarm cannot wait`,
      'leave the delay out',
    );
  }
}
