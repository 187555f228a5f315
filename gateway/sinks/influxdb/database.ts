import { messageOf } from '../../core/errors.ts';
import { SinkError } from '../../core/sink.ts';

/** A database of an InfluxDB 1 server, and who may create it. */
export interface DatabaseAccess {
  readonly url: URL;
  readonly database: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly timeoutMs: number;
}

/** Creates the database of an InfluxDB 1 server; no harm where it exists. Throws a `SinkError`. */
export async function createDatabase(access: DatabaseAccess, signal: AbortSignal): Promise<void> {
  const { url, database, user, password, timeoutMs } = access;
  // Loaded only now: a gateway whose databases exist never needs it, and it costs 12 MB.
  const { InfluxDB } = await import('influx');
  // One client for one call: its pool keeps a host that failed out of use for a while, and waiting is the business of our caller.
  const client = new InfluxDB({
    host: url.hostname,
    port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80),
    protocol: url.protocol === 'https:' ? 'https' : 'http',
    path: url.pathname,
    ...(user === undefined ? {} : { username: user, password: password ?? '' }),
    pool: { maxRetries: 0, requestTimeout: timeoutMs },
    options: { signal },
  });
  try {
    await client.createDatabase(database);
  } catch (error) {
    const status = (error as { res?: { statusCode?: number } } | null)?.res?.statusCode;
    throw new SinkError(`Cannot create database ${JSON.stringify(database)} at ${url.origin}: ${messageOf(error)}`, {
      kind: status === undefined || status >= 500 ? 'transient' : 'configuration',
      cause: error,
    });
  }
}
