import { optionKey } from '../gateway/core/detector.ts';
import type { PlannedMaintenance } from '../gateway/core/maintenance.ts';
import type {
  DerivationConfiguration,
  JoinAggregate,
  JoinConfiguration,
  JoinKind,
  OrderedShape,
  ReductionConfiguration,
  RollupConfiguration,
  WindowConfiguration,
  WindowShape,
} from './analysis-configuration.ts';
import type { Configuration } from './configuration.ts';
import type { DetectConfiguration, TogetherConfiguration } from './detect-configuration.ts';
import type { CheckedDetect, CheckedTogether } from './detect-schema.ts';
import { resolveSink } from './resolve-sink.ts';
import type { CheckedFile } from './schema.ts';
import type { JsonPaths, OpcuaNode, ReadingRule, SourceConfiguration } from './source-configuration.ts';
import type { ReadTables } from './table-rules.ts';
import type { Vocabulary } from './vocabulary.ts';

type CheckedSource = CheckedFile['sources'][number];
type CheckedRule = CheckedSource extends infer S ? (S extends { readings: readonly (infer R)[] } ? R : never) : never;
type CheckedNode = Extract<CheckedSource, { type: 'opcua' }>['nodes'][number];

/** Turns a file that has no problems into the shape the gateway uses. */
export function resolveConfiguration(file: CheckedFile, tables: ReadTables, vocabulary: Vocabulary): Configuration {
  const { gateway, storage, time, api, log } = file;
  return {
    gateway,
    storage: {
      path: storage.path,
      sync: storage.sync,
      keepFreeBytes: storage.keepFree,
      journal: storage.journal,
      outbox: {
        maxBytes: storage.outbox.maxBytes,
        maxAgeMs: storage.outbox.maxAge,
        whenFull: storage.outbox.whenFull,
      },
      alarms: storage.alarms,
      history: { maxBytes: storage.history.maxBytes, maxAgeMs: storage.history.maxAge },
      checkpointEveryMs: storage.checkpointEvery,
      maxSeries: storage.maxSeries,
      rememberedReadings: storage.rememberedReadings,
    },
    time: {
      outOfOrdernessMs: time.outOfOrderness,
      maxOutOfOrdernessMs: time.maxOutOfOrderness ?? time.outOfOrderness,
      idleTimeoutMs: time.idleTimeout,
      maxFutureMs: time.maxFuture,
      earliest: time.earliest,
      sync: time.sync,
      syncWaitMs: time.syncWait,
    },
    sources: file.sources.map((source) => resolveSource(source, gateway.name)),
    series: file.series.map(({ series, unit, scale, offset }) => ({ series, unit, scale, offset })),
    windows: file.windows.map(resolveWindow),
    rollups: file.rollups.map(resolveRollup),
    reduce: file.reduce.map(reductionOf),
    tables: file.tables.map(({ name, file: path, key, tags }) => ({
      name,
      path,
      key,
      tags,
      content: tables.get(name)!,
    })),
    derive: file.derive.map(derivationOf),
    join: file.join.map((one) => joinOf(one, time.idleTimeout)),
    detect: file.detect.flatMap((rule) => (isTogether(rule) ? [] : [resolveDetect(rule, vocabulary)])),
    together: file.detect.flatMap((rule) => (isTogether(rule) ? [resolveTogether(rule, vocabulary)] : [])),
    alarms: alarmsOf(file.alarms),
    maintenance: file.maintenance.map(maintenanceOf),
    sinks: file.sinks.map((sink) => resolveSink(sink, gateway.name)),
    api,
    log,
  };
}

function alarmsOf({ maxShelving, maxMaintenance, groupWithin, flood }: CheckedFile['alarms']): Configuration['alarms'] {
  const { above, below, within } = flood;
  return {
    maxShelvingMs: maxShelving,
    maxMaintenanceMs: maxMaintenance,
    groupWithinMs: groupWithin,
    flood: { above, below, withinMs: within },
  };
}

/** A planned maintenance as the gateway has it. */
export function maintenanceOf(plan: CheckedFile['maintenance'][number]): PlannedMaintenance {
  const { series, reason } = plan;
  if ('from' in plan) return { series, reason, schedule: { from: plan.from, to: plan.to } };
  return { series, reason, schedule: { on: plan.on, at: plan.at, forMs: plan.for, timeZone: plan.timeZone } };
}

function resolveSource(source: CheckedSource, gateway: string): SourceConfiguration {
  if (source.type === 'opcua') {
    const { name, type, endpoint, security, publishingInterval, nodes } = source;
    const { policy, mode = policy === 'None' ? 'None' : 'SignAndEncrypt', user, password } = security;
    return {
      name,
      type,
      endpoint,
      security: { policy, mode, user, password },
      publishingIntervalMs: publishingInterval,
      nodes: nodes.map(resolveNode),
    };
  }
  const readings = source.readings.map(resolveRule);
  if ('url' in source) {
    const { name, type, url, clientId = `headgate-${gateway}-${name}`, user, password, qos } = source;
    return { name, type, role: 'client', url, clientId, user, password, qos, readings };
  }
  const { name, type, listen, tls, users, maxPacketBytes, maxConnections } = source;
  return {
    name,
    type,
    role: 'broker',
    listen,
    tls,
    users,
    allowAnonymous: source.allowAnonymous ?? users.length === 0,
    maxPacketBytes,
    maxConnections,
    readings,
  };
}

function resolveRule(rule: CheckedRule): ReadingRule {
  const { topic, template, device, metric, tags, unit, json, line } = rule;
  const plain = rule.plain === true ? true : undefined;
  return { topic, template, device, metric, tags, unit, json: json && resolveJson(json), plain, line };
}

function resolveJson(json: NonNullable<CheckedRule['json']>): JsonPaths {
  const { value, values, time, timeUnit, metric, device, quality, text } = json;
  return { value, values, time, timeUnit, metric, device, quality, text };
}

function resolveNode(node: CheckedNode): OpcuaNode {
  const { device, deadband, sampling: samplingMs, queueSize } = node;
  const sampling = { device, deadband, samplingMs, queueSize };
  if ('browse' in node) return { ...sampling, browse: node.browse };
  return { ...sampling, id: node.id, metric: node.metric, unit: node.unit };
}

type CheckedReduction = {
  readonly [K in keyof CheckedFile['reduce'][number]]: CheckedFile['reduce'][number][K] | undefined;
} & { readonly series: string };

/** A checked rule of the reduction with its times in milliseconds. */
export function reductionOf(rule: CheckedReduction): ReductionConfiguration {
  const { series, deadband, deadbandPercent, swingingDoor, atLeastEvery, atMostEvery } = rule;
  return { series, deadband, deadbandPercent, swingingDoor, atLeastEveryMs: atLeastEvery, atMostEveryMs: atMostEvery };
}

/** A checked derivation with what it takes from its name. */
export function derivationOf({
  name,
  series,
  metric = name,
  unit,
  value,
}: CheckedFile['derive'][number]): DerivationConfiguration {
  return { name, series, metric, unit, value };
}

type CheckedJoin = CheckedFile['join'][number];

/** A checked join with what it takes from elsewhere: the metric from its name, the time it waits from `idleTimeoutMs`. */
export function joinOf(checked: CheckedJoin, idleTimeoutMs: number): JoinConfiguration {
  const { name, left, right, on, wait = idleTimeoutMs, metric = name, unit, value } = checked;
  return { name, left, right, on, kind: joinKind(checked), waitMs: wait, metric, unit, value };
}

function joinKind(checked: CheckedJoin): JoinKind {
  if ('within' in checked) return { withinMs: checked.within };
  if ('asOf' in checked) return { asOfMs: checked.asOf };
  return { tumblingMs: checked.tumbling, aggregate: checked.aggregate as JoinAggregate };
}

type CheckedShape = CheckedFile['windows'][number]['window'];
type CheckedOrdered = Extract<CheckedShape, { count: number } | { while: object } | { sliding: number }>;

/** A checked shape with its times in milliseconds. */
export function windowShape(shape: CheckedShape): WindowShape | OrderedShape {
  return isOrdered(shape) ? orderedShape(shape) : timedShape(shape);
}

function isOrdered(shape: CheckedShape): shape is CheckedOrdered {
  return 'count' in shape || 'while' in shape || 'sliding' in shape;
}

function orderedShape(shape: CheckedOrdered): OrderedShape {
  if ('sliding' in shape) return { slidingMs: shape.sliding };
  return 'while' in shape ? { while: shape.while } : { count: shape.count, every: shape.every };
}

function timedShape(shape: Exclude<CheckedShape, CheckedOrdered>): WindowShape {
  if ('tumbling' in shape) return { tumblingMs: shape.tumbling };
  if ('hopping' in shape) return { hoppingMs: shape.hopping, everyMs: shape.every };
  if ('session' in shape) return { sessionGapMs: shape.session };
  return { calendar: shape.calendar, timeZone: shape.timeZone };
}

function resolveWindow(checked: CheckedFile['windows'][number]): WindowConfiguration {
  const { name, series, window, aggregates, early, late, interpolation, maxGap, keep } = checked;
  return {
    name,
    series,
    window: isOrdered(window)
      ? orderedShape(window)
      : { ...timedShape(window), allowedLatenessMs: window.allowedLateness },
    aggregates,
    earlyMs: early,
    late,
    interpolation,
    maxGapMs: maxGap,
    keepMs: keep,
  };
}

function resolveRollup(checked: CheckedFile['rollups'][number]): RollupConfiguration {
  const { name, from, window, aggregates, early: earlyMs, keep: keepMs } = checked;
  const shape = 'tumbling' in window ? { tumblingMs: window.tumbling } : window;
  return { name, from, window: shape, aggregates, earlyMs, keepMs };
}

/** The options of a checked rule, under the names the detector knows. */
export function detectorOptions(
  rule: CheckedDetect | CheckedTogether,
  { detectors, jointDetectors }: Vocabulary,
): DetectConfiguration['options'] {
  const given = rule as unknown as DetectConfiguration['options'];
  const known = [...detectors, ...jointDetectors].find(({ name }) => name === rule.detector)?.options ?? {};
  const entries = Object.keys(known).map((name) => [name, given[optionKey(name)]] as const);
  return Object.fromEntries(entries.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/** Whether a rule of `detect` judges series together. */
export function isTogether(rule: CheckedDetect | CheckedTogether): rule is CheckedTogether {
  return 'together' in rule;
}

/** Series that are named with their devices belong together as they are named. */
export function groupedBy({ together, on }: Pick<CheckedTogether, 'together' | 'on'>): readonly string[] {
  if (on !== undefined) return on;
  const areNamed = together.every((pattern) => {
    const device = pattern.split('/').at(-2);
    return device !== undefined && !device.includes('*');
  });
  return areNamed ? [] : ['device'];
}

function resolveTogether(rule: CheckedTogether, vocabulary: Vocabulary): TogetherConfiguration {
  const { together, maxAge } = rule;
  return { together, on: groupedBy(rule), maxAgeMs: maxAge, ...judgementOf(rule, vocabulary) };
}

function resolveDetect(rule: CheckedDetect, vocabulary: Vocabulary): DetectConfiguration {
  return { series: rule.series, ...judgementOf(rule, vocabulary) };
}

function judgementOf(
  rule: CheckedDetect | CheckedTogether,
  vocabulary: Vocabulary,
): Omit<DetectConfiguration, 'series'> {
  const { detector, alarm } = rule;
  return {
    detector,
    options: detectorOptions(rule, vocabulary),
    alarm: alarm && {
      severity: alarm.severity,
      priority: alarm.priority,
      holdMs: alarm.hold,
      onDelayMs: alarm.delay,
      hysteresis: alarm.hysteresis,
    },
  };
}
