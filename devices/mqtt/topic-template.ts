import { GatewayError } from '../../gateway/core/errors.ts';

/** What a topic says about the readings under it. */
export interface TopicNames {
  readonly device: string | undefined;
  readonly metric: string | undefined;
  readonly tags: Readonly<Record<string, string>> | undefined;
}

/** Tells whether a topic, split into its levels, is meant by a filter. */
export type TopicFilter = (levels: readonly string[]) => boolean;

/** Reads the names out of a topic's levels; undefined when their number does not fit the template. */
export type TopicTemplate = (levels: readonly string[]) => TopicNames | undefined;

/** The filter as MQTT writes it: Telegraf's `_` for one level becomes `+`. */
export function toMqttFilter(filter: string): string {
  return filter
    .split('/')
    .map((level) => (level === '_' ? '+' : level))
    .join('/');
}

/**
 * Reads a filter: `+` and `_` stand for one level, `#` at the end for all that follow, none included. Throws a `GatewayError` for
 * a wildcard that is not a whole level, or `#` before the end.
 */
export function topicFilter(filter: string): TopicFilter {
  const parts = toMqttFilter(filter).split('/');
  const open = parts.at(-1) === '#';
  if (open) parts.pop();
  if (filter === '' || parts.some((part) => part.includes('#') || (part !== '+' && part.includes('+')))) {
    throw new GatewayError(`Cannot use the topic filter ${JSON.stringify(filter)}`, {
      hint: '`+` or `_` stand for one whole level, `#` for the rest and only at the end: sensors/+/temperature, plant/#',
    });
  }
  return (levels) =>
    (open ? levels.length >= parts.length : levels.length === parts.length) &&
    parts.every((part, i) => part === '+' || part === levels[i]);
}

const WORD = /^[A-Za-z][A-Za-z0-9_-]*$/;

/**
 * Reads a template of words, one for each level: `device` and `metric` name those, `_` is ignored, any other word is a tag of that name. A
 * word that comes again is joined to the first by `_`. The last word may end in `*`: it takes all levels that are left, at least one.
 */
export function topicTemplate(template: string): TopicTemplate {
  const words = template.split('/');
  const open = words.at(-1)!.endsWith('*');
  if (open) words.push(words.pop()!.slice(0, -1));
  const wrong = words.find((word) => word !== '_' && !WORD.test(word));
  if (wrong !== undefined) {
    throw new GatewayError(`Cannot use the word ${JSON.stringify(wrong)} in the topic template ${template}`, {
      hint: 'allowed are `_` (ignore), `device`, `metric`, and names of tags; the last may end in `*` to take all levels left',
    });
  }
  return (levels) => {
    if (open ? levels.length < words.length : levels.length !== words.length) return undefined;
    const found = new Map<string, string>();
    for (let i = 0; i < levels.length; i++) {
      const word = words[Math.min(i, words.length - 1)]!;
      if (word === '_') continue;
      const before = found.get(word);
      found.set(word, before === undefined ? levels[i]! : `${before}_${levels[i]}`);
    }
    return namesOf(found);
  };
}

function namesOf(found: Map<string, string>): TopicNames {
  const device = found.get('device');
  const metric = found.get('metric');
  found.delete('device');
  found.delete('metric');
  return { device, metric, tags: found.size === 0 ? undefined : Object.fromEntries(found) };
}

/**
 * What a topic says where the rule has no template: the last level is the metric, the one before it the device. A topic of a single
 * level names the device, and a value without a name of its own is called `value`.
 */
export const defaultTemplate: TopicTemplate = (levels) =>
  levels.length === 1
    ? { device: levels[0], metric: 'value', tags: undefined }
    : { device: levels.at(-2), metric: levels.at(-1), tags: undefined };
