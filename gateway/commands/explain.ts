import { Command } from 'commander';
import { isoTime } from '../base/iso-time.ts';
import { GatewayError, messageOf } from '../core/errors.ts';
import type { ExplainedDerived, ExplainedWindow, Explanation } from '../core/inspection.ts';
import { loadFile } from './configuration-file.ts';
import type { Surroundings } from './surroundings.ts';

/** Where a gateway answers that nobody has configured otherwise. */
const DEFAULT_URL = 'http://127.0.0.1:8080';
const TIMEOUT_MS = 10_000;

/** `headgate explain`: asks the running gateway where a reading went. */
export function explainCommand(surroundings: Surroundings): Command {
  return new Command('explain')
    .description('say where a reading went, or where and why it was left out; asks the running gateway')
    .argument('<series>', 'key of the series, as the page and /api/v1/series have it: press-1/temperature')
    .argument('<time>', 'source time of the reading: epoch milliseconds, or 2026-01-31T12:00:00.250Z')
    .option('--url <url>', `address of the gateway (default: ${DEFAULT_URL})`)
    .option('-c, --config <file>', 'take the address from this configuration: api.listen')
    .option('--json', 'print the answer as the API gives it')
    .action(async (series: string, time: string, options: { url?: string; config?: string; json?: true }) => {
      const url = options.url ?? (await addressIn(options.config, surroundings)) ?? DEFAULT_URL;
      const explanation = await ask(url, series, time, surroundings.signal);
      await surroundings.out(options.json ? `${JSON.stringify(explanation)}\n` : inWords(explanation));
    });
}

async function addressIn(config: string | undefined, surroundings: Surroundings): Promise<string | undefined> {
  if (config === undefined) return undefined;
  const { host, port } = (await loadFile(config, surroundings)).configuration.api.listen;
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}

/** @throws GatewayError where nobody answers, or the gateway refuses */
async function ask(url: string, series: string, time: string, signal: AbortSignal): Promise<Explanation> {
  const query = new URLSearchParams({ series, time });
  const asked = `${url.replace(/\/$/, '')}/api/v1/explain?${query}`;
  const reply = await fetch(asked, { signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) }).catch(
    (error: unknown) => {
      const cause = error instanceof Error && error.cause !== undefined ? `: ${messageOf(error.cause)}` : '';
      throw new GatewayError(`Cannot ask the gateway at ${url}: ${messageOf(error)}${cause}`, {
        hint: "It tells of what it remembers, so it has to run: 'headgate run --config FILE'. Name its address with --url, or --config.",
        cause: error,
      });
    },
  );
  const body: unknown = await reply.json().catch(() => undefined);
  if (reply.ok && typeof body === 'object') return body as Explanation;
  const { detail, hint } = (body ?? {}) as { detail?: string; hint?: string };
  // Whose answer it is: beside the gateway that was meant another one may run.
  const refusal = detail === undefined ? undefined : `The gateway at ${url} says: ${detail}`;
  throw new GatewayError(refusal ?? `Cannot read what ${url} answered: HTTP ${reply.status}`, {
    hint: hint ?? 'Is it the address of a gateway of this version?',
  });
}

function inWords(explanation: Explanation): string {
  const { series, time, verdict, summary, readings, duplicates, consumers } = explanation;
  const { reduction, readBy, detectors } = consumers;
  const lines = [
    `${series} at ${isoTime(time)}: ${verdict}`,
    `  ${summary}`,
    ...readings.map(({ value, quality, anomaly }) => `  value ${value}, ${quality}${anomaly ? ', an anomaly' : ''}`),
    ...(duplicates > 0 ? [`  came ${duplicates} more times, which count as duplicates`] : []),
    ...(readings.length === 0 ? neighbours(explanation) : []),
    ...section('windows', explanation.windows.map(windowInWords)),
    ...section('reduction', reduction === null ? [] : [reduction]),
    ...section(
      'read by',
      readBy.flatMap((name) => {
        const derived = explanation.derived.filter(({ by }) => by === name);
        return derived.length === 0 ? [name] : derived.map(derivedInWords);
      }),
    ),
    ...section(
      'detectors',
      detectors.map(({ detector, options }) => [detector, ...Object.entries(options).map(pair)].join(' ')),
    ),
    ...section(
      'alarms active then',
      explanation.alarms.map(({ detector, severity, raisedAt, message }) => {
        return `${severity} of ${detector} since ${isoTime(raisedAt)}: ${message}`;
      }),
    ),
    ...section(
      'refused of its device lately',
      explanation.refused.map(({ time: at, subject, reason }) => `${isoTime(at)} ${subject}: ${reason}`),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function derivedInWords({ by, series, from, to, mayFollow, readings }: ExplainedDerived): string {
  const times = from === to ? `at ${isoTime(to)}` : `from ${isoTime(from)} to ${isoTime(to)}`;
  const values = readings.map(({ value, quality, sourceTime }) => {
    return `${value}, ${quality}${from === to ? '' : `, at ${isoTime(sourceTime)}`}`;
  });
  const told = values.length === 0 && !mayFollow ? ['nothing'] : values;
  return `${by}: ${series} ${times}: ${[...told, ...(mayFollow ? ['more may follow'] : [])].join('; ')}`;
}

function pair([name, value]: readonly [string, number | string]): string {
  return `${name}=${value}`;
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`${title}`, ...lines.map((line) => `  ${line}`)];
}

function neighbours({ nearest: { before, after } }: Explanation): readonly string[] {
  const shown = [before, after].filter((time) => time !== null).map((time) => isoTime(time));
  return shown.length === 0 ? [] : [`  the nearest that are remembered are of ${shown.join(' and ')}`];
}

const HOLDS = {
  true: 'holds it',
  false: 'does not hold it',
  null: 'whether it holds it is not known any more',
} as const;

function windowInWords({ window, from, start, end, closesAt, state, revision, holds }: ExplainedWindow): string {
  const made = from === null ? '' : ` from ${from}`;
  const closing = state === 'given' && closesAt !== null ? ` until the watermark is ${isoTime(closesAt)}` : '';
  const closed = state === 'closed' && closesAt !== null ? ` when the watermark was ${isoTime(closesAt)}` : '';
  const result = revision === null ? 'no result known' : `revision ${revision}`;
  const span = `[${isoTime(start)}, ${isoTime(end)})`;
  const states: Readonly<Record<ExplainedWindow['state'], string>> = {
    empty: 'empty',
    open: 'open',
    given: `has ended, takes what is late${closing}`,
    closed: `closed${closed}`,
  };
  return `${window}${made} ${span}: ${HOLDS[`${holds}`]}; ${states[state]}; ${result}`;
}
