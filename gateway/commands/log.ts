import { resolve } from 'node:path';
import { Command } from 'commander';
import { isoTime } from '../base/iso-time.ts';
import { dumpLog, type LogSummary, listLogs, type SegmentReport, verifyLog } from '../buffer/inspect.ts';
import { GatewayError, messageOf } from '../core/errors.ts';
import type { LogRecord } from '../core/log.ts';
import { type Series, seriesKey } from '../core/reading.ts';
import { decodeCommand } from '../runtime/command.ts';
import { decodeDeadLetter } from '../runtime/dead-letters.ts';
import { decodeReadings, RecordKind } from '../runtime/reading-codec.ts';
import { decodeResults } from '../runtime/result-codec.ts';
import { count } from './count.ts';
import { Progress } from './progress.ts';
import { ExitCode, type Surroundings } from './surroundings.ts';

/** `headgate log`: a look into journal, outbox and dead letters, of a running gateway or of one that is down. */
export function logCommand(surroundings: Surroundings): Command {
  return new Command('log')
    .description('look into journal, outboxes and dead letters, whether the gateway runs or not')
    .addCommand(lsCommand(surroundings))
    .addCommand(verifyCommand(surroundings))
    .addCommand(dumpCommand(surroundings));
}

function lsCommand(surroundings: Surroundings): Command {
  return new Command('ls')
    .description('list the logs in a folder')
    .argument('<folder>', 'storage.path, or one log in it')
    .action(async (folder: string) => {
      for (const log of await findLogs(folder, surroundings)) await surroundings.out(`${describe(log)}\n`);
    });
}

function verifyCommand(surroundings: Surroundings): Command {
  return new Command('verify')
    .description('read every record and compare its checksum; exit 1 when something is damaged')
    .argument('<folder>', 'storage.path, or one log in it')
    .action(async (folder: string) => {
      let damaged = false;
      for (const { path } of await findLogs(folder, surroundings)) {
        const progress = new Progress(surroundings);
        const report = await verifyLog(path, ({ bytes, totalBytes }) =>
          progress.show(() => `${path}: ${Math.round((bytes / totalBytes) * 100)} %`),
        );
        progress.done();
        for (const segment of report.segments) {
          damaged ||= segment.damage.length > 0 || segment.unreadable !== undefined;
          await surroundings.out(`${path}/${describeSegment(segment)}\n`);
        }
      }
      if (damaged) throw new ExitCode(1);
    });
}

function dumpCommand(surroundings: Surroundings): Command {
  return new Command('dump')
    .description('print what is in one log, a line of JSON for each reading, result or dead letter')
    .argument('<log>', 'the folder of one log: journal, outbox, alarms or dead-letters in storage.path')
    .action(async (folder: string) => {
      const path = resolve(surroundings.workingFolder, folder);
      const log = (await findLogs(folder, surroundings)).find((candidate) => candidate.path === path);
      if (log === undefined) {
        throw new GatewayError(`Cannot dump ${path}: it holds several logs`, { hint: 'name one of them' });
      }
      for await (const record of dumpLog(path)) {
        if (surroundings.signal.aborted) return;
        const lines = linesOf(log.name, record).map(
          (line) => `${JSON.stringify({ offset: record.offset, ordinal: record.ordinal, ...line })}\n`,
        );
        await surroundings.out(lines.join(''));
      }
    });
}

async function findLogs(folder: string, surroundings: Surroundings): Promise<readonly LogSummary[]> {
  const path = resolve(surroundings.workingFolder, folder);
  const logs = await listLogs(path);
  if (logs.length > 0) return logs;
  throw new GatewayError(`There is no log in ${path}`, {
    hint: 'name the folder that the configuration has as storage.path',
  });
}

function describe(log: LogSummary): string {
  const cursors = log.cursors.map(({ name, offset }) => `${name} at ${offset}`).join(', ');
  const extras = [
    count(log.segments, 'segment'),
    count(log.bytes, 'byte'),
    `from record ${log.firstOffset ?? 'none'}`,
    ...(cursors === '' ? [] : [`cursors: ${cursors}`]),
    ...(log.droppedItems === 0 ? [] : [`${count(log.droppedItems, 'item')} dropped`]),
    ...(log.damagedItems === 0 ? [] : [`${count(log.damagedItems, 'item')} lost by damage`]),
    ...(log.quarantined === 0 ? [] : [`${count(log.quarantined, 'file')} in quarantine`]),
  ];
  return `${log.path}: ${extras.join('; ')}`;
}

function describeSegment(segment: SegmentReport): string {
  if (segment.unreadable !== undefined) return `${segment.name}: cannot be read: ${segment.unreadable}`;
  const damage = segment.damage.map(({ start, end }) => `DAMAGED ${end - start} bytes at ${start}`);
  const torn = segment.tornBytes === 0 ? [] : [`${segment.tornBytes} bytes of an unfinished write at the end`];
  const from = segment.firstOrdinal === undefined ? '' : ` from ${segment.firstOrdinal}`;
  const thinned =
    segment.level === 0 ? [] : [`thinned ${count(segment.level, 'time')} by ${count(segment.thinnedItems, 'item')}`];
  const parts = [
    count(segment.records, 'record'),
    `${count(segment.items, 'item')}${from}`,
    ...thinned,
    ...damage,
    ...torn,
  ];
  return `${segment.name}: ${parts.join('; ')}`;
}

/** What a record of a log holds, a plain object for each item. */
function linesOf(log: string, { payload, offset }: LogRecord): readonly object[] {
  try {
    if (log === 'journal') return payload[0] === RecordKind.command ? [decodeCommand(payload)] : readingLines(payload);
    if (log === 'outbox' || log === 'alarms') return decodeResults(payload);
    const { payload: data, ...letter } = decodeDeadLetter(payload);
    return [{ ...letter, payload: new TextDecoder().decode(data) }];
  } catch (error) {
    return [{ unreadable: `record ${offset} of ${payload.length} bytes: ${messageOf(error)}` }];
  }
}

function readingLines(payload: Uint8Array): readonly object[] {
  const intern = (identity: Parameters<typeof seriesKey>[0], unit: string | undefined): Series => {
    const { device, metric, tags = {} } = identity;
    return { id: 0, key: seriesKey(identity), device, metric, tags, unit };
  };
  return decodeReadings(payload, intern).readings.map(
    ({ series, source, value, quality, sourceTime, receiveTime }) => ({
      series: series.key,
      source,
      value,
      quality,
      sourceTime: isoTime(sourceTime),
      receiveTime: isoTime(receiveTime),
    }),
  );
}
