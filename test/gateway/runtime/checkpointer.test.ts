import { expect, test } from 'vitest';
import { MarkTable } from '../../../gateway/base/mark-table.ts';
import { SeriesRegistry } from '../../../gateway/base/series-registry.ts';
import { SegmentLog, type SyncPolicy } from '../../../gateway/buffer/segment-log.ts';
import type { Log } from '../../../gateway/core/log.ts';
import { Maintenance } from '../../../gateway/detect/maintenance/maintenance.ts';
import { Deduplicator } from '../../../gateway/pipeline/deduplicate.ts';
import { Tables } from '../../../gateway/pipeline/enrich/tables.ts';
import { Analysis } from '../../../gateway/runtime/analysis.ts';
import { CheckpointStore } from '../../../gateway/runtime/checkpoint.ts';
import { Checkpointer } from '../../../gateway/runtime/checkpointer.ts';
import { DeadLetters } from '../../../gateway/runtime/dead-letters.ts';
import { FateMemory } from '../../../gateway/runtime/fate-memory.ts';
import { Ledger } from '../../../gateway/runtime/ledger.ts';
import { RecentReadings } from '../../../gateway/runtime/recent-readings.ts';
import { ResultLogs } from '../../../gateway/runtime/result-logs.ts';
import { Taps } from '../../../gateway/runtime/taps.ts';
import { FaultyDisk, seededRandom } from '../../model/faulty-disk.ts';
import { LeapingClock } from '../../model/leaping-clock.ts';
import { openDesk } from '../../open-desk.ts';
import { openGate } from '../../open-gate.ts';
import { recordingLogger } from '../../recording-logger.ts';
import { aggregate, alarm } from '../sinks/results.ts';

const never = new AbortController().signal;
const POWER_CUTS = 40;

/** The logs and the checkpoints of a gateway on one disk, and a checkpointer that is told what was analysed. */
class Rig {
  readonly disk: FaultyDisk;
  readonly clock = new LeapingClock();
  readonly #sync: SyncPolicy;
  journal!: SegmentLog;
  alarmOutbox!: SegmentLog;
  outbox!: SegmentLog;
  deadLetterLog!: SegmentLog;
  checkpoints!: CheckpointStore;
  results!: ResultLogs;
  deadLetters!: DeadLetters;
  checkpointer!: Checkpointer;

  constructor(seed: number, sync: SyncPolicy) {
    this.disk = new FaultyDisk(seededRandom(seed));
    this.#sync = sync;
  }

  async boot(): Promise<void> {
    const { clock } = this;
    const disk = this.disk.mount();
    const logger = recordingLogger();
    const log = (path: string) =>
      new SegmentLog({ path, disk, clock, logger, sync: this.#sync, maxBytes: 1024 * 1024, segmentBytes: 4096 });
    this.journal = log('/data/journal');
    this.alarmOutbox = log('/data/alarms');
    this.outbox = log('/data/outbox');
    this.deadLetterLog = log('/data/dead-letters');
    for (const each of this.#logs()) await each.start(never);
    this.checkpoints = new CheckpointStore(disk, '/data', logger, clock);
    const failed = (error: unknown) => expect(String(error)).toContain('stopped');
    this.results = new ResultLogs({ alarmOutbox: this.alarmOutbox, outbox: this.outbox, failed });
    this.deadLetters = new DeadLetters(this.deadLetterLog, clock);
    const ledger = new Ledger();
    const deduplicator = new Deduplicator(16);
    const { journal, results, deadLetters, checkpoints } = this;
    this.checkpointer = new Checkpointer({
      ...{ clock, journal, results, deadLetters, checkpoints, ledger, deduplicator, logger },
      registry: new SeriesRegistry(10),
      marks: new MarkTable({ maxMarks: 10, maxMarksPerPeer: 10 }),
      reference: () => undefined,
      analysis: new Analysis({
        watchers: { taps: new Taps([]), fates: new FateMemory() },
        ...{ deduplicator, ledger },
        recent: new RecentReadings(),
        results: () => undefined,
        makeStages: () => ({
          gate: openGate,
          tables: new Tables([]),
          derivers: [],
          byName: {},
          alarmDesk: openDesk(),
          maintenance: new Maintenance([]),
          watermarkOf: () => undefined,
          windowsAt: () => [],
          outOfOrdernessOf: () => undefined,
        }),
      }),
    });
    await this.checkpointer.begin(0, undefined);
  }

  /** A reading is journaled, acknowledged and analysed, and leads to a window and an alarm; another one is refused. */
  async analyseOne(number: number): Promise<void> {
    const offset = this.journal.append(Buffer.alloc(200), 1);
    this.deadLetters.addReading('floor', 'topic', 'not a number', Buffer.alloc(50));
    await this.deadLetters.commit();
    await this.journal.commit();
    this.results.append([aggregate({ start: number * 60_000 }), alarm({ raisedAt: number })]);
    this.checkpointer.passed(offset, 1);
  }

  async powerCut(): Promise<void> {
    this.disk.cutPower();
    for (const log of this.#logs()) await log.stop(AbortSignal.abort());
    await this.boot();
  }

  #logs(): readonly SegmentLog[] {
    return [this.journal, this.alarmOutbox, this.outbox, this.deadLetterLog];
  }
}

/** Offsets of the records that a log has before an offset. */
async function offsetsIn(log: Log, end: number): Promise<readonly number[]> {
  const reader = log.reader(0);
  const offsets: number[] = [];
  for (let records = await reader.read(1e6); records.length > 0; records = await reader.read(1e6)) {
    offsets.push(...records.map(({ offset }) => offset));
  }
  await reader.close();
  return offsets.filter((offset) => offset < end);
}

const upTo = (end: number) => Array.from({ length: end }, (_, offset) => offset);

test.each([
  ['always', 'always'],
  ['1s', { everyMs: 1_000 }],
  ['never', 'never'],
] as const)('with sync %s a power cut takes nothing that a checkpoint counts on', async (_name, sync) => {
  for (let seed = 1; seed <= POWER_CUTS; seed++) {
    const rig = new Rig(seed, sync);
    await rig.boot();
    // Over several segments, of which the last is still being written.
    for (let number = 0; number < 30; number++) await rig.analyseOne(number);
    await rig.checkpointer.write();
    // Just begun, and cut short by the power.
    await rig.analyseOne(30);
    await rig.powerCut();
    const [checkpoint] = await rig.checkpoints.read();
    const { journalOffset, deadLetterOffset } = checkpoint!;
    const found = {
      readings: await offsetsIn(rig.journal, journalOffset),
      windows: await offsetsIn(rig.outbox, journalOffset),
      alarms: await offsetsIn(rig.alarmOutbox, journalOffset),
      deadLetters: await offsetsIn(rig.deadLetterLog, deadLetterOffset),
    };
    const all = upTo(30);
    expect(found, `seed ${seed}`).toEqual({ readings: all, windows: all, alarms: all, deadLetters: all });
  }
});

test('a checkpoint does not wait for the room of readings that came after it: it is what makes that room', async () => {
  const rig = new Rig(1, 'always');
  await rig.boot();
  for (let number = 0; number < 30; number++) await rig.analyseOne(number);
  // More than the journal takes.
  const waiting: Promise<void>[] = [];
  for (let record = 0; record < 30; record++) {
    rig.journal.append(Buffer.alloc(50_000), 1);
    waiting.push(rig.journal.commit());
  }
  await rig.checkpointer.write();
  expect((await rig.checkpoints.read())[0]).toMatchObject({ journalOffset: 30 });
  for (const commit of waiting) commit.catch((error) => expect(String(error)).toContain('stopped'));
  await rig.journal.stop(AbortSignal.abort());
});
