import type { MonitoredItem } from 'node-opcua';
import { type CsvOptions, type CsvTable, openCsv } from './csv.ts';
import { OpcuaServer, type OpcuaServerOptions } from './opcua-server.ts';
import { monotonicMs, pause, untilAborted } from './time.ts';

/** What `playOpcua` may be told, besides which CSV and how it listens. */
export interface PlayOpcuaOptions extends CsvOptions, OpcuaServerOptions {
  /** Times real time, by the file's own timestamps, or as fast as the client takes them. @default full */
  readonly speed?: number | 'full';
  /** Stop after this many rows. @default all */
  readonly maxRows?: number;
  /** Called once the server listens. */
  readonly onReady?: (endpointUrl: string, nodeIds: readonly string[]) => void;
  /** Heard about each half a second, and at the end. */
  readonly onProgress?: (counts: OpcuaPlayCounts) => void;
}

/** What became of the values. */
export interface OpcuaPlayCounts {
  /** Values that variables were set to. */
  set: number;
  rows: number;
  /** Cells that hold no value. */
  empty: number;
}

const POLL_MS = 2;
const PROGRESS_MS = 500;
const YIELD_EVERY_ROWS = 100;

/**
 * Plays a CSV as an OPC-UA server: the column `Pressure` of the device `valve` is the variable `nsu=urn:headgate:plant;s=valve.Pressure`,
 * and takes each value with the time of its row as source time. It starts when a client monitors every variable, and never
 * overflows a monitored item's queue: it waits until the client has taken what is queued. The server stays up until the signal
 * aborts, so that the last values are delivered and can be read.
 *
 * @returns the counts, when the signal has aborted
 */
export async function playOpcua(options: PlayOpcuaOptions, signal: AbortSignal): Promise<OpcuaPlayCounts> {
  const playback = await startOpcuaPlayback(options, signal);
  try {
    await playback.played;
    await untilAborted(signal);
  } finally {
    await playback.stop();
  }
  return playback.counts;
}

/** A playback under way. */
export interface OpcuaPlayback {
  readonly endpointUrl: string;
  /** In the order of the columns, `nsu=urn:headgate:plant;s=…`. */
  readonly nodeIds: readonly string[];
  readonly counts: OpcuaPlayCounts;
  /** Resolves when every row is set and every queue is empty: all is handed to the client. Also when the signal aborts. */
  readonly played: Promise<void>;
  /** Stops playing and the server. */
  stop(): Promise<void>;
}

/** Starts what `playOpcua` does, for a caller that goes on meanwhile. */
export async function startOpcuaPlayback(options: PlayOpcuaOptions, signal: AbortSignal): Promise<OpcuaPlayback> {
  const table = await openCsv(options);
  const ids = table.metrics.map((metric) => `${table.device}.${metric}`);
  const server = new OpcuaServer(options);
  await server.start();
  for (const id of ids) server.add(id);
  const nodeIds = ids.map((id) => `nsu=urn:headgate:plant;s=${id}`);
  options.onReady?.(server.endpointUrl, nodeIds);
  const stopping = new AbortController();
  const counts: OpcuaPlayCounts = { set: 0, rows: 0, empty: 0 };
  const played = play(server, table, ids, options, counts, AbortSignal.any([signal, stopping.signal]));
  const stop = async () => {
    stopping.abort();
    await played;
    await server.stop();
  };
  return { endpointUrl: server.endpointUrl, nodeIds, counts, played, stop };
}

async function play(
  server: OpcuaServer,
  table: CsvTable,
  ids: readonly string[],
  options: PlayOpcuaOptions,
  counts: OpcuaPlayCounts,
  signal: AbortSignal,
): Promise<void> {
  const { speed = 'full', maxRows = Number.POSITIVE_INFINITY, onProgress } = options;
  await until(() => ids.every((id) => itemsOf(server, id).length > 0), signal);
  const startMs = monotonicMs();
  let firstMs: number | undefined;
  let toldMs = startMs;
  for await (const row of table.rows()) {
    if (row.index >= maxRows) break;
    firstMs ??= row.timeMs;
    if (speed !== 'full') await pause(startMs + (row.timeMs - firstMs) / speed - monotonicMs(), signal);
    else if (row.index % YIELD_EVERY_ROWS === 0) await new Promise(setImmediate);
    await until(() => roomFor(server), signal);
    if (signal.aborted) break;
    for (const [i, value] of row.values.entries()) {
      if (value === undefined) counts.empty++;
      else {
        server.set(ids[i]!, value, 0, row.timeMs);
        counts.set++;
      }
    }
    counts.rows++;
    if (onProgress !== undefined && monotonicMs() - toldMs >= PROGRESS_MS) {
      toldMs = monotonicMs();
      onProgress(counts);
    }
  }
  await until(() => [...server.items].every((item) => queued(item) === 0), signal);
  onProgress?.(counts);
}

/** True while some client listens and nobody's queue is full. */
function roomFor(server: OpcuaServer): boolean {
  let some = false;
  for (const item of server.items) {
    if (queued(item) >= item.queueSize) return false;
    some = true;
  }
  return some;
}

/** How many values of an item wait for the next publish. */
function queued(item: MonitoredItem): number {
  return item.queue.length;
}

function itemsOf(server: OpcuaServer, id: string): MonitoredItem[] {
  return [...server.items].filter((item) => item.node?.nodeId.value === id);
}

async function until(condition: () => boolean, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !condition()) await pause(POLL_MS, signal);
}
