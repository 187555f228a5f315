import { pino } from 'pino';
import type { Logger } from '../core/telemetry.ts';

/** How the log of the process is written. */
export interface LoggerOptions {
  /** The lowest level that is written: `debug`, `info`, `warn`, `error` or `silent`. */
  readonly level: string;
  /** Lines for a person instead of JSON. */
  readonly pretty: boolean;
}

/** The log of the process, on standard error: JSON lines for machines, plain lines on a terminal. In an object, as pino's loggers look like promises to the compiler. */
export async function makeLogger({ level, pretty }: LoggerOptions): Promise<{ readonly logger: Logger }> {
  if (!pretty) {
    const formatters = { level: (label: string) => ({ level: label }) };
    const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters };
    return { logger: pino(options, pino.destination({ dest: 2, sync: true })) };
  }
  const { default: prettyStream } = await import('pino-pretty');
  const stream = prettyStream({ destination: 2, sync: true, translateTime: 'SYS:HH:MM:ss', singleLine: true });
  return { logger: pino({ level, base: null }, stream) };
}
