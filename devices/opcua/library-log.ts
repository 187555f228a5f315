import { format, stripVTControlCharacters } from 'node:util';
import { setDebugLogger, setErrorLogger, setWarningLogger } from 'node-opcua-client';
import type { Logger } from '../../gateway/core/telemetry.ts';

/** Longest message of the library that is logged; it dumps whole certificates. */
const MAX_MESSAGE_LENGTH = 500;

/**
 * Sends what node-opcua would print to the console to a log. The library has one set of loggers for the process, so the last
 * caller gets them all.
 */
export function routeLibraryLog(logger: Logger): void {
  const log = logger.child({ library: 'node-opcua' });
  // its errors are the outages and refusals that the source reports itself, in better words
  setErrorLogger((_context, ...parts) => log.warn({}, tidy(parts)));
  setWarningLogger((_context, ...parts) => log.debug({}, tidy(parts)));
  setDebugLogger((_context, ...parts) => log.debug({}, tidy(parts)));
}

function tidy(parts: readonly unknown[]): string {
  const text = stripVTControlCharacters(format(...parts))
    .replace(/\s+/g, ' ')
    .trim();
  return text.length > MAX_MESSAGE_LENGTH ? `${text.slice(0, MAX_MESSAGE_LENGTH)}…` : text;
}
