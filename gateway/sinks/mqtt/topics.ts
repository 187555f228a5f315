import type { Result } from '../../core/result.ts';
import { percentEncode } from '../percent-encode.ts';

/** Longest topic in bytes: MQTT has two bytes for its length. */
const MAX_TOPIC_BYTES = 65_535;
const UNFIT = /[%/+#\p{Cc}\p{Noncharacter_Code_Point}]/gu;

/** Why a result has no topic. */
export class NoTopic {
  /** For a person. */
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** The topic of a result below the prefix: `aggregates/<device>/<metric>/<window>` or `alarms/<device>/<metric>`. */
export function topicOf(result: Result, prefix: string): string | NoTopic {
  const { device, metric } = result.series;
  if (!device.isWellFormed() || !metric.isWellFormed()) {
    return new NoTopic('the name of its series is not valid Unicode, which a topic has to be');
  }
  const place = `${topicLevel(device)}/${topicLevel(metric)}`;
  const topic =
    result.kind === 'aggregate'
      ? `${prefix}/aggregates/${place}/${topicLevel(result.window)}`
      : `${prefix}/alarms/${place}`;
  const bytes = Buffer.byteLength(topic);
  if (bytes > MAX_TOPIC_BYTES)
    return new NoTopic(`its topic would have ${bytes} bytes; MQTT allows ${MAX_TOPIC_BYTES}`);
  return topic;
}

/**
 * A name as one level of a topic: what a topic must not contain or would divide it (`/ + #` and U+0000), and control and
 * non-characters, for which brokers cut the connection, are percent-encoded, and so is `%`: no two names become one.
 */
export function topicLevel(name: string): string {
  return percentEncode(name, UNFIT);
}
