import { withTimeLimit } from '../../base/time-limit.ts';
import type { Clock } from '../../core/clock.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Result } from '../../core/result.ts';
import { type Rejection, type Sink, SinkError } from '../../core/sink.ts';
import type { Logger } from '../../core/telemetry.ts';
import { newAgent } from '../http.ts';
import { RunningWrites } from '../running-writes.ts';
import { BatchWriter, type Line, type LinesOutcome } from './batch-writer.ts';
import { createDatabase } from './database.ts';
import { encodePoint, Unwritable } from './line-protocol.ts';
import { isStored, pointOf } from './points.ts';
import { send, type WriteRequest } from './request.ts';

/** Where results go and how; the words of sample.yaml. */
export interface InfluxdbSinkOptions {
  readonly name: string;
  /** `http://host:port` or `https://…`, with a path where a proxy needs one; no user or password in it. */
  readonly url: string;
  /** The database; for version 2 the bucket. */
  readonly database: string;
  /** @default the database's own default */
  readonly retentionPolicy?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** Instead of user and password: an API token (versions 2 and 3, and version 1's endpoint on them). */
  readonly token?: string | undefined;
  /** Which write endpoint: 1 `/write`, 2 `/api/v2/write`, 3 `/api/v3/write_lp`. @default 1 */
  readonly version?: 1 | 2 | 3 | undefined;
  /** Organisation, for version 2. */
  readonly org?: string | undefined;
  /** Compress what is sent. @default true */
  readonly gzip?: boolean | undefined;
  /** Longest wait for one request, from its start to the end of the answer. @default 10000 */
  readonly timeoutMs?: number | undefined;
  /** Create a missing database (version 1 only). @default true */
  readonly createDatabase?: boolean | undefined;
  /** Tags of every point; the gateway's own name among them. */
  readonly gatewayTags: Readonly<Record<string, string>>;
}

/**
 * Stores results in InfluxDB. See README.md beside this file for what is stored, and what happens to what is refused.
 *
 * Safe to call again with the same results: a point is known by measurement, tags and time, and is overwritten by itself.
 */
export class InfluxdbSink implements Sink {
  readonly name: string;
  readonly type = 'influxdb';
  readonly #options: InfluxdbSinkOptions;
  #request: WriteRequest;
  readonly #timeoutMs: number;
  readonly #logger: Logger;
  readonly #clock: Clock;
  #writer = this.#newWriter();
  readonly #writes = new RunningWrites('InfluxDB');

  /** @throws {GatewayError} where an option cannot work */
  constructor(options: InfluxdbSinkOptions, { clock, logger }: { clock: Clock; logger: Logger }) {
    this.name = options.name;
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? 10_000;
    this.#logger = logger;
    this.#clock = clock;
    const url = writeUrl(options);
    this.#request = {
      url,
      agent: newAgent(url),
      headers: authorization(options),
      gzip: options.gzip ?? true,
      clock,
    };
  }

  async start(_signal: AbortSignal): Promise<void> {
    if (!this.#writes.isStopped) return;
    this.#writes.start();
    this.#writer = this.#newWriter();
    this.#request = { ...this.#request, agent: newAgent(this.#request.url) };
  }

  async stop(_signal: AbortSignal): Promise<void> {
    await this.#writes.stop();
    this.#request.agent.destroy();
  }

  stores(result: Result): boolean {
    return isStored(result);
  }

  async write(batch: readonly Result[], signal: AbortSignal): Promise<readonly Rejection[]> {
    return this.#writes.run(signal, (running) => this.#write(batch, running));
  }

  async #write(batch: readonly Result[], signal: AbortSignal): Promise<readonly Rejection[]> {
    const unwritable: Rejection[] = [];
    const lines: Line[] = [];
    for (const result of batch) {
      const point = pointOf(result, this.#options.gatewayTags);
      if (point === undefined) continue;
      const text = encodePoint(point);
      if (text instanceof Unwritable) unwritable.push({ result, reason: text.reason });
      else lines.push({ result, point, text });
    }
    return [...unwritable, ...(await this.#writer.write(lines, signal))];
  }

  #newWriter(): BatchWriter {
    return new BatchWriter((lines, signal) => this.#send(lines, signal));
  }

  async #send(lines: readonly Line[], signal: AbortSignal): Promise<LinesOutcome> {
    const body = lines.map((line) => line.text).join('\n');
    for (let attempt = 0; ; attempt++) {
      const outcome = await this.#timeLimited(signal, (limited) => send(body, this.#request, limited));
      if (outcome.kind !== 'noDatabase') return outcome;
      // Asked for again at once it may still be missing (somebody drops it): then it is for a person.
      if (attempt > 0 || !this.#mayCreateDatabase()) throw this.#noDatabase(outcome.message);
      await this.#createDatabase(signal);
    }
  }

  #mayCreateDatabase(): boolean {
    return (this.#options.version ?? 1) === 1 && (this.#options.createDatabase ?? true);
  }

  #noDatabase(message: string): SinkError {
    const { database } = this.#options;
    return new SinkError(
      `InfluxDB has no database ${JSON.stringify(database)}: ${message}. Create it, or correct the name`,
      {
        kind: 'configuration',
      },
    );
  }

  async #createDatabase(signal: AbortSignal): Promise<void> {
    const { database, user, password, url } = this.#options;
    const access = { url: new URL(url), database, user, password, timeoutMs: this.#timeoutMs };
    await this.#timeLimited(signal, (limited) => createDatabase(access, limited));
    this.#logger.info({ database }, 'created the database, which InfluxDB did not have');
  }

  #timeLimited<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return withTimeLimit({ ms: this.#timeoutMs, clock: this.#clock, signal }, work);
  }
}

function writeUrl({ name, url, database, retentionPolicy, version = 1, org }: InfluxdbSinkOptions): URL {
  const base = URL.parse(url);
  if (base === null || !/^https?:$/.test(base.protocol)) {
    throw new GatewayError(`Cannot make sink ${name}: '${url}' is not a http or https url`, {
      hint: 'for example http://localhost:8086',
    });
  }
  if (base.username !== '' || base.password !== '') {
    throw new GatewayError(`Cannot make sink ${name}: its url has a user or a password in it`, {
      hint: 'give them as `user` and `password`, so that they stay out of logs',
    });
  }
  if (database === '') throw new GatewayError(`Cannot make sink ${name}: the database has no name`);
  const path = { 1: '/write', 2: '/api/v2/write', 3: '/api/v3/write_lp' }[version];
  const target = new URL(base);
  target.pathname = base.pathname.replace(/\/$/, '') + path;
  const bucket = retentionPolicy === undefined ? database : `${database}/${retentionPolicy}`;
  const query = {
    1: { db: database, ...(retentionPolicy === undefined ? {} : { rp: retentionPolicy }), precision: 'ms' },
    2: { bucket, ...(org === undefined ? {} : { org }), precision: 'ms' },
    3: { db: database, precision: 'millisecond' },
  }[version];
  target.search = new URLSearchParams(query).toString();
  return target;
}

function authorization({ user, password = '', token, version = 1 }: InfluxdbSinkOptions): Record<string, string> {
  if (token !== undefined) return { authorization: `${version === 3 ? 'Bearer' : 'Token'} ${token}` };
  if (user === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}
