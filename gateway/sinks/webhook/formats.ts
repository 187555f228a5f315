import { isoTime } from '../../base/iso-time.ts';
import { type AlarmEvent, isActive, type Severity } from '../../core/result.ts';
import { resultMessage, type Sender, tagsOf } from '../result-message.ts';

/** What receivers read: their own form, or the gateway's. */
export type WebhookFormat = 'json' | 'alertmanager' | 'slack' | 'ntfy';

/** Where a step of an alarm is posted, and what. */
export interface WebhookMessage {
  readonly url: URL;
  readonly body: unknown;
}

type Format = (event: AlarmEvent, sender: Sender, url: URL) => WebhookMessage;

const DAY_MS = 86_400_000;
/** For so long Alertmanager takes an alarm for active that nobody clears. */
const UNCLEARED_MS = 365 * DAY_MS;

/** Each format; see README.md for their documentation. */
export const FORMATS: Readonly<Record<WebhookFormat, Format>> = {
  json: (event, sender, url) => ({
    url,
    body: { type: `alarm.${event.state}`, timestamp: isoTime(event.time), data: resultMessage(event, sender) },
  }),
  alertmanager: (event, sender, url) => ({ url, body: [alert(event, sender)] }),
  slack: (event, sender, url) => ({
    url,
    body: { text: escapeSlack(`${SIGNS[signOf(event)]} ${line(event, sender)}`) },
  }),
  ntfy: (event, sender, url) => ({ url: new URL('.', url), body: notification(event, sender, url) }),
};

/** Topic of an ntfy address: the last part of its path; undefined where there is none. */
export function ntfyTopic(url: URL): string | undefined {
  const topic = url.pathname.split('/').at(-1);
  return topic === undefined || topic === '' ? undefined : decodeURIComponent(topic);
}

/** As the API of Alertmanager, version 2, takes it: known by its labels, over when `endsAt` is past. */
function alert(event: AlarmEvent, sender: Sender): unknown {
  const { id, series, detector, severity, message, score, value, raisedAt, time } = event;
  const tags = Object.entries(tagsOf(event, sender)).map(([name, text]) => [labelName(name), text]);
  const isOver = !isActive(event);
  return {
    labels: {
      ...Object.fromEntries(tags),
      // Of two rules with one detector the second has a name of its own.
      alertname: id.slice(0, id.indexOf('@')),
      gateway: sender.name,
      device: series.device,
      metric: series.metric,
      detector,
      severity,
    },
    annotations: { summary: message, alarm: id, score: String(score), value: String(value) },
    startsAt: isoTime(raisedAt),
    // An alarm that ends as it begins would be refused.
    endsAt: isoTime(isOver ? Math.max(time, raisedAt + 1) : raisedAt + UNCLEARED_MS),
  };
}

/** Prometheus' names of labels are ASCII. */
function labelName(name: string): string {
  return name.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(?=[0-9])/, '_');
}

const PRIORITIES: Readonly<Record<Severity, number>> = { info: 3, warning: 4, critical: 5 };
const NTFY_TAGS = {
  info: 'information_source',
  warning: 'warning',
  critical: 'rotating_light',
  cleared: 'white_check_mark',
} as const;

/** As ntfy takes it on its root. */
function notification(event: AlarmEvent, sender: Sender, url: URL): unknown {
  const { series, severity, message } = event;
  const isOver = !isActive(event);
  return {
    topic: ntfyTopic(url),
    title: `${isOver ? 'cleared' : severity}: ${series.device} ${series.metric} (${sender.name})`,
    message,
    priority: isOver ? PRIORITIES.info : PRIORITIES[severity],
    tags: [NTFY_TAGS[signOf(event)]],
  };
}

const SIGNS = { info: '🔵', warning: '🟠', critical: '🔴', cleared: '✅' } as const;

function line(event: AlarmEvent, sender: Sender): string {
  const { severity, message } = event;
  return `${isActive(event) ? severity : 'cleared'}: ${message} (${sender.name})`;
}

function signOf(event: AlarmEvent): Severity | 'cleared' {
  return isActive(event) ? event.severity : 'cleared';
}

/** Slack's three characters with a meaning. */
function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
