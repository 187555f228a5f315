import { withTimeLimit } from '../../base/time-limit.ts';
import { webhookKey } from '../../base/webhook-secret.ts';
import type { Clock } from '../../core/clock.ts';
import { GatewayError } from '../../core/errors.ts';
import { type AlarmEvent, isActive, isForPeople, type Result } from '../../core/result.ts';
import { type Rejection, type Sink, SinkError } from '../../core/sink.ts';
import { type AlarmChoice, alarmChoice } from '../alarm-choice.ts';
import { type Answer, networkError, newAgent, post, retryAfterMs, shorten } from '../http.ts';
import { messageId, type Sender } from '../result-message.ts';
import { RunningWrites } from '../running-writes.ts';
import { secretsHidden } from './echoed-secrets.ts';
import { FORMATS, ntfyTopic, type WebhookFormat } from './formats.ts';
import { webhookHeaders, webhookId } from './signature.ts';

/** Whom alarms are told and how; the words of sample.yaml. */
export interface WebhookSinkOptions {
  readonly name: string;
  /** `http:` or `https:`; what follows the host is often a secret, and is never shown. */
  readonly url: string;
  /** `whsec_` and Base64; without it nothing is signed. */
  readonly secret?: string | undefined;
  /** More headers; their values may be secrets. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly format: WebhookFormat;
  readonly gateway: Sender;
  readonly alarms: AlarmChoice;
  /** Longest wait for an answer. @default 10000 */
  readonly timeoutMs?: number | undefined;
  /** Authorities in place of the system's, PEM. */
  readonly ca?: string | undefined;
}

/** Steps whose answer is remembered while their batch is not through. */
const MAX_ANSWERED = 1_000;
/** A step that got no answer so often in a row may have itself to blame. */
const SUSPICIOUS_FAILURES = 5;
/** Of an answer, in a reason. */
const ANSWER_LENGTH = 200;

/** Answers that are not about this alarm: a person has to correct the address or the credentials. */
const FOR_A_PERSON: ReadonlySet<number> = new Set([401, 403, 404, 405, 407]);
const LATER: ReadonlySet<number> = new Set([408, 425, 429]);

/**
 * Tells alarms to an HTTP server, one POST for each step, in order, signed as Standard Webhooks says. See README.md beside this file for what is sent,
 * and what happens to what is refused.
 *
 * What is sent twice has the same `webhook-id`.
 */
export class WebhookSink implements Sink {
  readonly name: string;
  readonly type = 'webhook';
  readonly #options: WebhookSinkOptions;
  readonly #clock: Clock;
  readonly #url: URL;
  readonly #key: Buffer | undefined;
  readonly #hideSecrets: (text: string) => string;
  readonly #isChosen: (event: AlarmEvent) => boolean;
  readonly #writes = new RunningWrites('webhook');
  /** What was answered of a batch that broke off: only the rest is sent again. */
  readonly #answered = new Map<string, Rejection | undefined>();
  /** The step that was the first without an answer the last time, and how often in a row. */
  #stuck = { id: '', failures: 0 };
  #agent: ReturnType<typeof newAgent>;

  /** @throws {GatewayError} where an option cannot work */
  constructor(options: WebhookSinkOptions, { clock }: { readonly clock: Clock }) {
    this.name = options.name;
    this.#options = options;
    this.#clock = clock;
    this.#url = webhookUrl(options);
    this.#key = keyOf(options);
    this.#hideSecrets = secretsHidden(this.#url, options.headers ?? {});
    this.#isChosen = alarmChoice(options.alarms);
    this.#agent = newAgent(this.#url, options.ca);
  }

  async start(_signal: AbortSignal): Promise<void> {
    if (!this.#writes.isStopped) return;
    this.#writes.start();
    this.#agent = newAgent(this.#url, this.#options.ca);
  }

  async stop(_signal: AbortSignal): Promise<void> {
    await this.#writes.stop();
    this.#agent.destroy();
  }

  stores(result: Result): boolean {
    return result.kind === 'alarm' && this.#isTold(result) && this.#isChosen(result);
  }

  async write(batch: readonly Result[], signal: AbortSignal): Promise<readonly Rejection[]> {
    return this.#writes.run(signal, (running) => this.#write(batch, running));
  }

  /** The one place where that is decided. Alertmanager mirrors what is active: an alarm that it knows has to end there, though it was shelved since. */
  #isTold(event: AlarmEvent): boolean {
    return isForPeople(event) || (this.#options.format === 'alertmanager' && !isActive(event));
  }

  async #write(batch: readonly Result[], signal: AbortSignal): Promise<readonly Rejection[]> {
    const events = batch.filter((result) => result.kind === 'alarm');
    for (const event of events) {
      if (this.#answered.has(this.#idOf(event))) continue;
      try {
        await this.#tell(event, signal);
      } catch (error) {
        if (!this.#isSuspicious(event, error) || !(await this.#isAnotherTold(event, events, signal))) throw error;
        await this.#tellSuspect(event, signal);
      }
    }
    return events.flatMap((event) => {
      const id = this.#idOf(event);
      const rejection = this.#answered.get(id);
      this.#answered.delete(id);
      return rejection === undefined ? [] : [rejection];
    });
  }

  #idOf(event: AlarmEvent): string {
    return messageId(event, this.#options.gateway);
  }

  /** Posts one step, and remembers the answer. Rejects with a `SinkError` where it is to be sent again. */
  async #tell(event: AlarmEvent, signal: AbortSignal): Promise<void> {
    const id = this.#idOf(event);
    this.#remember(id, this.#judge(await this.#post(event, id, signal), event));
  }

  #remember(id: string, rejection: Rejection | undefined): void {
    this.#answered.set(id, rejection);
    if (this.#answered.size > MAX_ANSWERED) this.#answered.delete(this.#answered.keys().next().value!);
  }

  /** Whether this step was the first without an answer so often that those behind it must not wait for it any longer. */
  #isSuspicious(event: AlarmEvent, error: unknown): boolean {
    // Who was asked to wait is not to blame, and what is for a person is for all.
    if (!(error instanceof SinkError) || error.kind !== 'transient' || error.retryAfterMs !== undefined) return false;
    const id = this.#idOf(event);
    this.#stuck = { id, failures: this.#stuck.id === id ? this.#stuck.failures + 1 : 1 };
    return this.#stuck.failures >= SUSPICIOUS_FAILURES;
  }

  /** Whether the server takes a step of another alarm, which tells that it is there: those of one alarm keep their order. */
  async #isAnotherTold(event: AlarmEvent, events: readonly AlarmEvent[], signal: AbortSignal): Promise<boolean> {
    const another = events.find((other) => other.id !== event.id && !this.#answered.has(this.#idOf(other)));
    if (another === undefined) return false;
    try {
      await this.#tell(another, signal);
    } catch (error) {
      if (error instanceof SinkError) return false;
      throw error;
    }
    return this.#answered.get(this.#idOf(another)) === undefined;
  }

  /** Once more, as the server may just have come back; what it does not answer then either is set aside. */
  async #tellSuspect(event: AlarmEvent, signal: AbortSignal): Promise<void> {
    try {
      await this.#tell(event, signal);
    } catch (error) {
      if (!(error instanceof SinkError) || signal.aborted) throw error;
      const reason = `${error.message}, ${SUSPICIOUS_FAILURES} times, while it took others`;
      this.#remember(this.#idOf(event), { result: event, reason });
    }
  }

  async #post(event: AlarmEvent, id: string, signal: AbortSignal): Promise<Answer> {
    const { format, gateway, headers = {}, timeoutMs = 10_000 } = this.#options;
    const { url, body: content } = FORMATS[format](event, gateway, this.#url);
    const body = Buffer.from(JSON.stringify(content));
    const timestamp = Math.floor(this.#clock.now() / 1000);
    const allHeaders = {
      ...headers,
      'user-agent': 'Headgate',
      'content-type': 'application/json',
      'content-length': String(body.length),
      ...webhookHeaders({ id: webhookId(id), timestamp, body }, this.#key),
    };
    return withTimeLimit({ ms: timeoutMs, clock: this.#clock, signal }, (limited) =>
      post({ url, agent: this.#agent }, allHeaders, body, limited).catch((error: unknown) => {
        throw networkError('Webhook', error, url, limited);
      }),
    );
  }

  /** Why a step is refused for ever; undefined where it is told. @throws {SinkError} where it is to be sent again */
  #judge({ status, text, retryAfter }: Answer, event: AlarmEvent): Rejection | undefined {
    if (status >= 200 && status < 300) return undefined;
    const said = `The webhook at ${this.#url.origin} answered ${status}: ${shorten(this.#hideSecrets(text.trim()), ANSWER_LENGTH)}`;
    if (LATER.has(status) || status >= 500) {
      const waitMs = retryAfterMs(retryAfter, this.#clock);
      throw new SinkError(said, { kind: 'transient', ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }) });
    }
    if (status < 400) {
      throw new SinkError(`${said}. A redirect is not followed: give the address that it leads to`, {
        kind: 'configuration',
      });
    }
    if (FOR_A_PERSON.has(status)) {
      throw new SinkError(`${said}. Check the url, the headers and the secret of the sink`, { kind: 'configuration' });
    }
    return { result: event, reason: said };
  }
}

function webhookUrl({ name, url, format }: WebhookSinkOptions): URL {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw new GatewayError(`Cannot make sink ${name}: its url is not a http or https url`, {
      hint: 'for example https://alerts.example/hooks/headgate',
    });
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw new GatewayError(`Cannot make sink ${name}: its url has a user or a password in it`, {
      hint: 'give them as a header: Authorization: Basic …',
    });
  }
  if (format === 'ntfy' && ntfyTopic(parsed) === undefined) {
    throw new GatewayError(`Cannot make sink ${name}: its url names no topic of ntfy`, {
      hint: 'it is the last part, as in https://ntfy.example/press-hall',
    });
  }
  return parsed;
}

function keyOf({ name, secret }: WebhookSinkOptions): Buffer | undefined {
  if (secret === undefined) return undefined;
  const key = webhookKey(secret);
  if (key !== undefined) return key;
  throw new GatewayError(`Cannot make sink ${name}: its secret is not one of Standard Webhooks`, {
    hint: 'whsec_ and 24 to 64 bytes in Base64, as of: echo whsec_$(openssl rand -base64 32)',
  });
}
