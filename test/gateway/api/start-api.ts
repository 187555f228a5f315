import { Api, type ApiOptions, type ApiParts } from '../../../gateway/api/app.ts';
import { systemClock } from '../../../gateway/base/system-clock.ts';
import type { Logger } from '../../../gateway/core/telemetry.ts';
import { FakeView } from './fake-view.ts';

/** A logger that keeps its lines, so that a test may look. */
export class KeepingLogger implements Logger {
  readonly lines: { level: string; details: object; message: string }[] = [];
  debug = (details: object, message: string) => this.#keep('debug', details, message);
  info = (details: object, message: string) => this.#keep('info', details, message);
  warn = (details: object, message: string) => this.#keep('warn', details, message);
  error = (details: object, message: string) => this.#keep('error', details, message);

  child(): Logger {
    return this;
  }

  #keep(level: string, details: object, message: string): void {
    this.lines.push({ level, details, message });
  }
}

/** An API over a fake gateway on a free port of loopback. */
export async function startApi(options: Partial<ApiOptions> = {}, parts: Partial<ApiParts> = {}) {
  const view = new FakeView();
  const logger = new KeepingLogger();
  const api = new Api({ listen: { host: '127.0.0.1', port: 0 }, ...options }, view, {
    clock: systemClock,
    logger,
    ...parts,
  });
  await api.start(new AbortController().signal);
  const http = api.http;
  if (http === undefined) throw new Error('the API has started without an application');
  return { api, view, logger, http, stop: () => api.stop(AbortSignal.timeout(2000)) };
}
