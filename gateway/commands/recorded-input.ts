import { createReadStream } from 'node:fs';
import { basename, extname } from 'node:path';
import { createInterface } from 'node:readline';
import { parse } from 'csv-parse';
import { LineReader } from '../../devices/decoders/line-reader.ts';
import { parseTime } from '../base/parse-time.ts';
import { GatewayError, messageOf } from '../core/errors.ts';
import type { DecodeTarget } from '../core/message.ts';
import { Quality } from '../core/quality.ts';
import type { SeriesIdentity, Value } from '../core/reading.ts';

/** What a recorded input brings: readings of named series, and what could not be understood. */
export interface RecordedTarget {
  reading(identity: SeriesIdentity, value: Value, quality: Quality, sourceTime: number): void;
  reject(subject: string, reason: string): void;
}

/**
 * Reads a recorded file in portions, yielding after each so that the caller can write out what it led to. By its ending:
 *
 * - `.csv`: a head line, then a time and values; the device is the file's name, each column a metric;
 * - `.ndjson`, `.jsonl`: `{"device": …, "metric": …, "value": …, "time": milliseconds or ISO 8601}`, and `tags` if there are any;
 * - `.lp`, `.line`: InfluxDB line protocol with times in nanoseconds.
 *
 * @throws GatewayError when the file cannot be read, or its ending is none of these
 */
export async function* readRecorded(path: string, target: RecordedTarget): AsyncGenerator<void> {
  const read = READERS[extname(path).toLowerCase()];
  if (read === undefined) {
    throw new GatewayError(`Cannot replay ${path}: its ending says nothing about its format`, {
      hint: `the ending is one of ${Object.keys(READERS).join(', ')}`,
    });
  }
  try {
    yield* read(path, target);
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    throw new GatewayError(`Cannot replay ${path}: ${messageOf(error)}`, { cause: error });
  }
}

type Reader = (path: string, target: RecordedTarget) => AsyncGenerator<void>;

const READERS: Readonly<Record<string, Reader>> = {
  '.csv': readCsv,
  '.ndjson': readNdjson,
  '.jsonl': readNdjson,
  '.lp': readLineProtocol,
  '.line': readLineProtocol,
};
const LINES_PER_PORTION = 1_000;

async function* readCsv(path: string, target: RecordedTarget): AsyncGenerator<void> {
  const device = basename(path, extname(path));
  const parser = createReadStream(path)
    .on('error', (error) => parser.destroy(error))
    .pipe(
      parse({
        bom: true,
        delimiter: [',', ';'],
        relax_column_count: true,
        skip_empty_lines: true,
        trim: true,
        info: true,
      }),
    );
  let metrics: readonly string[] | undefined;
  let rows = 0;
  for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
    if (metrics === undefined) {
      metrics = record.slice(1);
      continue;
    }
    readRow(device, metrics, record, info.lines, target);
    if (++rows % LINES_PER_PORTION === 0) yield;
  }
}

function readRow(
  device: string,
  metrics: readonly string[],
  row: readonly string[],
  line: number,
  target: RecordedTarget,
): void {
  const time = parseTime(row[0] ?? '');
  if (time === undefined) {
    target.reject(`line ${line}`, `the time ${JSON.stringify(row[0])} cannot be read`);
    return;
  }
  for (const [column, metric] of metrics.entries()) {
    const cell = row[column + 1] ?? '';
    if (cell === '') continue;
    const value = Number(cell);
    if (Number.isFinite(value)) target.reading({ device, metric }, value, Quality.good, time);
    else target.reject(`line ${line}`, `the value ${JSON.stringify(cell)} of ${metric} is not a finite number`);
  }
}

async function* readNdjson(path: string, target: RecordedTarget): AsyncGenerator<void> {
  let number = 0;
  for await (const line of linesOf(path)) {
    number++;
    if (line.trim() !== '') {
      const problem = readJsonLine(line, target);
      if (problem !== undefined) target.reject(`line ${number}`, problem);
    }
    if (number % LINES_PER_PORTION === 0) yield;
  }
}

/** Why a line is no reading; undefined when it was one. */
function readJsonLine(line: string, target: RecordedTarget): string | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch (error) {
    return `it is not JSON: ${messageOf(error)}`;
  }
  const { device, metric, value, time, tags } = (parsed ?? {}) as Record<string, unknown>;
  const sourceTime = typeof time === 'number' ? time : parseTime(String(time));
  if (typeof device !== 'string' || typeof metric !== 'string') return 'device and metric have to be strings';
  if (sourceTime === undefined) return `the time ${JSON.stringify(time)} cannot be read`;
  if (typeof value !== 'number' && typeof value !== 'boolean' && typeof value !== 'string') {
    return `the value ${JSON.stringify(value)} is no number, boolean or string`;
  }
  target.reading(isTags(tags) ? { device, metric, tags } : { device, metric }, value, Quality.good, sourceTime);
  return undefined;
}

function isTags(tags: unknown): tags is Record<string, string> {
  return typeof tags === 'object' && tags !== null && Object.values(tags).every((value) => typeof value === 'string');
}

async function* readLineProtocol(path: string, target: RecordedTarget): AsyncGenerator<void> {
  let lines: string[] = [];
  let before = 0;
  const decode = () => {
    const reader = new LineReader(Buffer.from(lines.join('\n')), 'ns');
    reader.read(lineTarget(path, before, target), Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
    before += lines.length;
    lines = [];
  };
  for await (const line of linesOf(path)) {
    lines.push(line);
    if (lines.length < LINES_PER_PORTION) continue;
    decode();
    yield;
  }
  decode();
}

/** @param before how many lines of the file came before the ones that are decoded */
function lineTarget(path: string, before: number, target: RecordedTarget): DecodeTarget {
  return {
    value(value, sourceTime, metric, device, tags, quality = Quality.good) {
      if (sourceTime === undefined || metric === undefined || device === undefined) {
        target.reject(path, 'a recorded line needs a timestamp');
        return;
      }
      target.reading(tags === undefined ? { device, metric } : { device, metric, tags }, value, quality, sourceTime);
    },
    // The decoder counts the lines that it was given.
    reject: (reason) =>
      target.reject(
        path,
        reason.replace(/^line (\d+)/, (_, line) => `line ${before + Number(line)}`),
      ),
  };
}

function linesOf(path: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
}
