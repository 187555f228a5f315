import { RecentMap } from '../../gateway/base/recent-map.ts';
import type { EpochMs } from '../../gateway/core/clock.ts';
import { GatewayError } from '../../gateway/core/errors.ts';
import type { Intake } from '../../gateway/core/intake.ts';
import type { LinePrecision } from '../../gateway/core/line-writes.ts';
import type { Decoder, DecodeTarget, RawMessage } from '../../gateway/core/message.ts';
import { Quality } from '../../gateway/core/quality.ts';
import type { Series, Value } from '../../gateway/core/reading.ts';
import { type JsonOptions, jsonDecoder } from '../decoders/json.ts';
import { lineProtocolDecoder } from '../decoders/line-protocol.ts';
import { plainDecoder } from '../decoders/plain.ts';
import {
  defaultTemplate,
  type TopicFilter,
  type TopicNames,
  type TopicTemplate,
  topicFilter,
  topicTemplate,
} from './topic-template.ts';

/** How the messages of some topics become readings. At most one of `json`, `plain`, `line`; none is JSON with its defaults. */
export interface ReadingRule {
  /** MQTT topic filter; `_` may be written for `+`. */
  readonly topic: string;
  /** Names for the levels of the topic; see `topicTemplate`. @default the last level is the metric, the one before the device */
  readonly template?: string | undefined;
  /** Device of all readings, in place of what the topic says. */
  readonly device?: string | undefined;
  /** Metric of all readings, in place of what the topic says. */
  readonly metric?: string | undefined;
  /** Tags of all readings. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly unit?: string | undefined;
  readonly json?: JsonOptions | undefined;
  readonly plain?: true | undefined;
  readonly line?: { readonly precision?: LinePrecision | undefined } | undefined;
}

/** Topics whose route is remembered, the ones that were used last; at most twice as many. */
const MAX_ROUTES = 10_000;
/** Metrics remembered for one topic. */
const MAX_METRICS = 256;

/**
 * Takes messages to the intake by the first rule whose filter matches their topic. What the payload says about device and metric
 * goes before the rule's own words, and those before the topic's.
 */
export class Router {
  readonly #rules: readonly CompiledRule[];
  readonly #filters: string;
  readonly #intake: Intake;
  readonly #routes = new RecentMap<string, Route>(MAX_ROUTES);
  readonly #target: RouteTarget;
  readonly #message: { topic: string; payload: Uint8Array; receiveTime: EpochMs };

  /** Throws a `GatewayError` for a rule that cannot be used. */
  constructor(rules: readonly ReadingRule[], intake: Intake) {
    this.#rules = rules.map(compileRule);
    this.#filters = rules.map((rule) => rule.topic).join(', ') || 'none';
    this.#intake = intake;
    this.#target = new RouteTarget(intake);
    this.#message = { topic: '', payload: new Uint8Array(), receiveTime: 0 };
  }

  /**
   * Hands the readings of a message to the intake, or the message to its dead-letter store; never throws. False when the topic
   * is not a legal topic name of MQTT, and then nothing was handed on. The caller acknowledges.
   */
  handle(topic: string, payload: Uint8Array, receiveTime: EpochMs): boolean {
    const known = this.#routes.get(topic);
    const route = known ?? this.#find(topic);
    if (route.decoder === undefined) {
      this.#routes.set(topic, route);
      if (route.refusal === undefined) return false;
      this.#intake.reject(topic, route.refusal, payload);
      return true;
    }
    // One message and one target for all: a decoder keeps neither, and the hot path allocates nothing.
    const message = this.#message;
    message.topic = topic;
    message.payload = payload;
    message.receiveTime = receiveTime;
    this.#target.route = route;
    this.#target.message = message;
    this.#target.isHomeless = false;
    route.decoder.decode(message, this.#target);
    // A flood of topics that there is no room for must not drive out those that have a series.
    if (known === undefined && !this.#target.isHomeless) this.#routes.set(topic, route);
    return true;
  }

  #find(topic: string): Route {
    if (!isTopicName(topic)) return refused(undefined);
    const levels = topic.split('/');
    for (const rule of this.#rules) {
      if (!rule.matches(levels)) continue;
      const names = rule.template(levels);
      if (names === undefined) {
        const { topic: filter, template } = rule.source;
        return refused(
          `the topic ${JSON.stringify(topic)} has ${levels.length} levels and does not fit the template ${template} of the filter ${filter}`,
        );
      }
      return new Route(rule, names);
    }
    return refused(`the topic ${JSON.stringify(topic)} fits no rule; the filters are: ${this.#filters}`);
  }
}

interface CompiledRule {
  readonly source: ReadingRule;
  readonly matches: TopicFilter;
  readonly template: TopicTemplate;
  readonly decoder: Decoder;
}

function compileRule(rule: ReadingRule): CompiledRule {
  const formats = [rule.json, rule.plain, rule.line].filter((format) => format !== undefined).length;
  if (formats > 1) {
    throw new GatewayError(`Cannot use the rule for ${rule.topic}: it names ${formats} formats`, {
      hint: 'one of `json`, `plain` and `line` says how its messages are read; without any it is JSON',
    });
  }
  return {
    source: rule,
    matches: topicFilter(rule.topic),
    template: rule.template === undefined ? defaultTemplate : topicTemplate(rule.template),
    decoder:
      rule.plain === true
        ? plainDecoder()
        : rule.line !== undefined
          ? lineProtocolDecoder({ precision: rule.line.precision })
          : jsonDecoder(rule.json),
  };
}

/** What is known about one topic. */
class Route {
  /** Undefined when messages of this topic are refused. */
  readonly decoder: Decoder | undefined;
  /** Why they are refused; undefined when the topic itself is illegal. */
  readonly refusal: string | undefined;
  readonly device: string | undefined;
  readonly metric: string | undefined;
  readonly tags: Readonly<Record<string, string>> | undefined;
  readonly unit: string | undefined;
  /** The series of a value that the payload does not name. */
  series: Series | undefined = undefined;
  /** The series of metrics that the payload names. */
  byMetric: Map<string, Series> | undefined = undefined;

  constructor(rule: CompiledRule | undefined, names: TopicNames, refusal?: string) {
    const source = rule?.source;
    this.decoder = rule?.decoder;
    this.refusal = refusal;
    this.device = source?.device ?? names.device;
    this.metric = source?.metric ?? names.metric;
    this.tags = source?.tags === undefined ? names.tags : { ...names.tags, ...source.tags };
    this.unit = source?.unit;
  }
}

function refused(reason: string | undefined): Route {
  return new Route(undefined, { device: undefined, metric: undefined, tags: undefined }, reason);
}

/** Receives what a decoder finds in a message of a route. */
class RouteTarget implements DecodeTarget {
  readonly #intake: Intake;
  route!: Route;
  message!: RawMessage;
  /** A value of the message has no series. */
  isHomeless = false;

  constructor(intake: Intake) {
    this.#intake = intake;
  }

  value(
    value: Value,
    sourceTime: EpochMs | undefined,
    metric?: string,
    device?: string,
    tags?: Readonly<Record<string, string>>,
    quality: Quality = Quality.good,
  ): void {
    const series =
      device === undefined && tags === undefined ? this.#seriesOf(metric) : this.#lookUp(metric, device, tags);
    if (typeof series === 'string') {
      this.isHomeless = true;
      this.reject(series);
      return;
    }
    this.#intake.reading(series, value, quality, sourceTime, this.message.receiveTime);
  }

  reject(reason: string, part?: string): void {
    this.#intake.reject(this.message.topic, reason, part === undefined ? this.message.payload : Buffer.from(part));
  }

  /** The series of a metric of this route, or a sentence why there is none; only a series is remembered. */
  #seriesOf(metric: string | undefined): Series | string {
    const { route } = this;
    const known = metric === undefined ? route.series : route.byMetric?.get(metric);
    if (known !== undefined) return known;
    const series = this.#lookUp(metric, undefined, undefined);
    if (typeof series === 'string') return series;
    if (metric === undefined) {
      route.series = series;
    } else {
      route.byMetric ??= new Map();
      if (route.byMetric.size < MAX_METRICS) route.byMetric.set(metric, series);
    }
    return series;
  }

  #lookUp(
    metric: string | undefined,
    device: string | undefined,
    tags: Readonly<Record<string, string>> | undefined,
  ): Series | string {
    const { route } = this;
    const identity = { device: device ?? route.device ?? '', metric: metric ?? route.metric ?? '' };
    const allTags = tags === undefined ? route.tags : { ...route.tags, ...tags };
    return this.#intake.series(allTags === undefined ? identity : { ...identity, tags: allTags }, route.unit);
  }
}

/** Longest topic that is taken, in UTF-16 code units. */
const MAX_TOPIC_LENGTH = 4096;

/** Control characters, surrogates, non-characters, and the sign that stands for bytes that were not UTF-8. */
const UNFIT = /[\p{Cc}\p{Cs}\ufffd\ufffe\uffff]/u;

/** True for text that MQTT allows in a topic, a client id or a user name [MQTT-1.5.3]. */
export function isMqttText(text: string): boolean {
  return !UNFIT.test(text);
}

function isTopicName(topic: string): boolean {
  return (
    topic !== '' &&
    topic.length <= MAX_TOPIC_LENGTH &&
    !topic.includes('+') &&
    !topic.includes('#') &&
    isMqttText(topic)
  );
}
