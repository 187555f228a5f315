import { type FileHandle, open } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { GatewayError, messageOf } from '../../core/errors.ts';
import type { Quality } from '../../core/quality.ts';
import type { Series, SeriesIdentity, Value } from '../../core/reading.ts';
import { CsvReader } from './csv-reader.ts';
import { LineProtocolReader } from './line-protocol-reader.ts';
import { NdjsonReader } from './ndjson-reader.ts';

/** What a recorded input brings: readings of named series, and what could not be understood. */
export interface RecordedTarget {
  /** The series of an identity; or why there is none, as a sentence. */
  series(identity: SeriesIdentity): Series | string;
  reading(series: Series, value: Value, quality: Quality, sourceTime: number): void;
  reject(subject: string, reason: string): void;
}

/** Reads one format. */
export interface RecordedReader {
  /** Takes what is there as a whole line or row; all of it when it is the last. @returns how many bytes were taken */
  take(bytes: Buffer, isLast: boolean): number;
}

/** So much of a file is held at once, and more where a line is longer. */
const CHUNK_BYTES = 256 * 1024;
/** Shorter than this are a line and a row. */
const MAX_LINE_BYTES = 4 * 1024 * 1024;
/** Files that are read side by side at the most. */
const MAX_OPEN = 16;

const READERS: Readonly<Record<string, (path: string, target: RecordedTarget) => RecordedReader>> = {
  '.csv': (path, target) => new CsvReader(deviceOfCsv(path), target),
  '.ndjson': (_path, target) => new NdjsonReader(target),
  '.jsonl': (_path, target) => new NdjsonReader(target),
  '.lp': (path, target) => new LineProtocolReader(path, target),
  '.line': (path, target) => new LineProtocolReader(path, target),
};

/**
 * Reads recorded files in portions, yielding after each the path that it came from, so that the caller can write out what it led to. By its ending
 * a file is:
 *
 * - `.csv`: a head line, then a time and values; the device is the file's name, each column a metric;
 * - `.ndjson`, `.jsonl`: `{"device": …, "metric": …, "value": …, "time": milliseconds or ISO 8601}`, and `tags` if there are any;
 * - `.lp`, `.line`: InfluxDB line protocol with times in nanoseconds.
 *
 * One file follows the other; but CSVs that follow each other and are of different devices are read side by side, a portion of each in turn:
 * otherwise there would never be readings of two devices to be analysed at the same time. The order depends on nothing but the files.
 *
 * @throws GatewayError when a file cannot be read, or its ending is none of these
 */
export async function* readRecorded(paths: readonly string[], target: RecordedTarget): AsyncGenerator<string> {
  for (const path of paths) readerOf(path);
  for (const together of sideBySide(paths)) yield* readTogether(together, target);
}

function readerOf(path: string) {
  const reader = READERS[extname(path).toLowerCase()];
  if (reader !== undefined) return reader;
  throw new GatewayError(`Cannot replay ${path}: its ending says nothing about its format`, {
    hint: `the ending is one of ${Object.keys(READERS).join(', ')}`,
  });
}

function deviceOfCsv(path: string): string {
  return basename(path, extname(path));
}

/** Runs of files: all of a run are CSVs of different devices, or it is one file of another kind. */
function sideBySide(paths: readonly string[]): readonly (readonly string[])[] {
  const runs: string[][] = [];
  let devices = new Set<string>();
  for (const path of paths) {
    const device = extname(path).toLowerCase() === '.csv' ? deviceOfCsv(path) : undefined;
    if (device === undefined || devices.size === 0 || devices.has(device)) {
      runs.push([path]);
      devices = new Set();
    } else runs.at(-1)!.push(path);
    if (device !== undefined) devices.add(device);
  }
  return runs;
}

async function* readTogether(paths: readonly string[], target: RecordedTarget): AsyncGenerator<string> {
  const waiting = [...paths];
  let reading: { readonly path: string; readonly portions: AsyncGenerator<void> }[] = [];
  try {
    for (;;) {
      for (const path of waiting.splice(0, MAX_OPEN - reading.length)) {
        reading.push({ path, portions: readFile(path, target) });
      }
      if (reading.length === 0) return;
      const unfinished: typeof reading = [];
      for (const one of reading) {
        const { done } = await one.portions.next();
        if (done !== true) unfinished.push(one);
        yield one.path;
      }
      reading = unfinished;
    }
  } finally {
    for (const { portions } of reading) await portions.return(undefined);
  }
}

async function* readFile(path: string, target: RecordedTarget): AsyncGenerator<void> {
  const reader = readerOf(path)(path, target);
  try {
    yield* readChunks(await open(path), reader);
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    throw new GatewayError(`Cannot replay ${path}: ${messageOf(error)}`, { cause: error });
  }
}

async function* readChunks(file: FileHandle, reader: RecordedReader): AsyncGenerator<void> {
  try {
    let buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    let length = 0;
    for (;;) {
      length += await fill(file, buffer, length);
      const isLast = length < buffer.length;
      const taken = reader.take(buffer.subarray(0, length), isLast);
      if (isLast) return;
      yield;
      // What was not taken goes to the front; a line that is longer than the whole needs more room.
      length = buffer.copy(buffer, 0, taken, length);
      if (length >= MAX_LINE_BYTES) throw new Error(tooLong(buffer));
      if (length > buffer.length / 2) buffer = Buffer.concat([buffer.subarray(0, length)], 2 * buffer.length);
    }
  } finally {
    await file.close();
  }
}

function tooLong(line: Buffer): string {
  return `a line is longer than ${MAX_LINE_BYTES} bytes: ${JSON.stringify(line.toString('utf8', 0, 40))}…`;
}

/** Reads as much as there is room for; less only at the end of the file, so that portions depend on the file alone. */
async function fill(file: FileHandle, buffer: Buffer, from: number): Promise<number> {
  let at = from;
  while (at < buffer.length) {
    const { bytesRead } = await file.read(buffer, at, buffer.length - at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return at - from;
}
