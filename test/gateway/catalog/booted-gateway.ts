import { expect } from 'vitest';
import { SteadyClock } from '../../../gateway/base/steady-clock.ts';
import { type GatewaySurroundings, makeGateway } from '../../../gateway/catalog/make-gateway.ts';
import { loadText } from '../../../gateway/commands/configuration-file.ts';
import type { Intake } from '../../../gateway/core/intake.ts';
import { Quality } from '../../../gateway/core/quality.ts';
import type { Value } from '../../../gateway/core/reading.ts';
import { ManualClock } from '../../manual-clock.ts';
import { FaultyDisk, seededRandom } from '../../model/faulty-disk.ts';
import { noTimeService } from '../../no-time-service.ts';
import { plentyOfMemory } from '../../plenty-of-memory.ts';
import { recordingLogger } from '../../recording-logger.ts';

const never = new AbortController().signal;

/** What a gateway runs on, and stores into; nothing by default. */
interface Box extends Partial<Pick<GatewaySurroundings, 'sinks' | 'history'>> {
  readonly disk?: FaultyDisk;
  readonly clock?: ManualClock;
}

/** A gateway as `text` configures it, started on a disk and a clock of the test, with one source. */
export async function bootedGateway(text: string, box: Box = {}) {
  const { disk = new FaultyDisk(seededRandom(3)), clock = new ManualClock() } = box;
  const { sinks = [], history = { aggregates: () => [], alarms: () => [] } } = box;
  let intake!: Intake;
  const surroundings = { environment: {}, err: (problem: string) => expect.fail(problem) };
  const gateway = makeGateway(loadText(text, '/gateway.yaml', surroundings as never).configuration, {
    clock: new SteadyClock(clock),
    timeService: noTimeService,
    boot: 'boot',
    random: () => 0.5,
    memory: plentyOfMemory,
    logger: recordingLogger(),
    disk: disk.mount(),
    version: '0',
    configurationText: text,
    failed: (error) => expect.fail(String(error)),
    sources: (intakeOf) => {
      intake = intakeOf('floor');
      return [];
    },
    sinks,
    history,
  });
  await gateway.start(never);
  /** A reading of the device `press` at a wall time, and its acknowledgement. */
  const send = (metric: string, value: Value, sourceTime: number): Promise<void> => {
    const series = intake.series({ device: 'press', metric });
    if (typeof series === 'string') throw new Error(series);
    intake.reading(series, value, Quality.good, sourceTime, clock.now());
    return new Promise((resolve) => intake.acknowledge(resolve));
  };
  return { gateway, clock, disk, send, stop: () => gateway.stop(never) };
}
