import { expect, test } from 'vitest';
import { SteadyClock } from '../../../gateway/base/steady-clock.ts';
import { makeGateway } from '../../../gateway/catalog/make-gateway.ts';
import { loadText } from '../../../gateway/commands/configuration-file.ts';
import type { Intake } from '../../../gateway/core/intake.ts';
import { Quality } from '../../../gateway/core/quality.ts';
import type { Result } from '../../../gateway/core/result.ts';
import { ManualClock } from '../../manual-clock.ts';
import { FaultyDisk, seededRandom } from '../../model/faulty-disk.ts';
import { noTimeService } from '../../no-time-service.ts';
import { plentyOfMemory } from '../../plenty-of-memory.ts';
import { recordingLogger } from '../../recording-logger.ts';

const never = new AbortController().signal;
const KEEP_FREE = 64 * 1024;

const TEXT = `
storage: { path: /data, keepFree: 64 KiB }
sources: [{ name: floor, type: mqtt, listen: "127.0.0.1:0", readings: [{ topic: "sensors/_/+" }] }]
detect: [{ series: "*", detector: range, max: 0, alarm: {} }]
windows: [{ name: s, window: { tumbling: 1s }, aggregates: [count] }]
`;

test.each([
  { share: 0.75, kept: ['aggregate', 'alarm'], refusing: ['journal'] },
  { share: 0.4, kept: ['alarm'], refusing: ['journal', 'outbox'] },
])(
  'with $share of keepFree left on the disk there is still room for $kept, and none for $refusing',
  async ({ share, kept, refusing }) => {
    const clock = new ManualClock();
    const disk = new FaultyDisk(seededRandom(3));
    const stored: Result[] = [];
    let intake!: Intake;
    const surroundings = { environment: {}, err: (text: string) => expect.fail(text) };
    const gateway = makeGateway(loadText(TEXT, '/gateway.yaml', surroundings as never).configuration, {
      clock: new SteadyClock(clock),
      timeService: noTimeService,
      boot: 'boot',
      random: () => 0.5,
      memory: plentyOfMemory,
      logger: recordingLogger(),
      disk: disk.mount(),
      version: '0',
      configurationText: TEXT,
      failed: (error) => expect.fail(String(error)),
      sources: (intakeOf) => {
        intake = intakeOf('floor');
        return [];
      },
      sinks: [
        {
          sink: {
            name: 'store',
            type: 'test',
            start: async () => {},
            stop: async () => {},
            write: async (batch) => {
              stored.push(...batch);
              return [];
            },
          },
          options: { maxItems: 100, lingerMs: 0 },
        },
      ],
      history: { aggregates: () => [], alarms: () => [] },
    });
    await gateway.start(never);
    const series = intake.series({ device: 'd', metric: 'm' });
    if (typeof series === 'string') throw new Error(series);
    const send = (sourceTime: number, acknowledged: () => void) => {
      intake.reading(series, 1, Quality.good, sourceTime, clock.now());
      intake.acknowledge(acknowledged);
    };
    const leave = (freeBytes: number) => {
      disk.capacity = disk.paths().reduce((sum, path) => sum + disk.content(path).length, 0) + freeBytes;
    };

    // The outbox is about to ask how much room there is when the disk fills.
    const filled = Promise.withResolvers<void>();
    disk.delay = (call, path) =>
      call === 'freeBytes' && /outbox|alarms/.test(path) ? filled.promise : Promise.resolve();
    await new Promise<void>((resolve) => send(clock.now(), resolve));
    await new Promise<void>((resolve) => send(clock.now() + 5_000, resolve));
    leave(KEEP_FREE * share);
    filled.resolve();
    await clock.advance(1_000);
    expect(stored.map(({ kind }) => kind).sort()).toEqual(kept);
    let acknowledged = false;
    send(clock.now() + 6_000, () => {
      acknowledged = true;
    });
    await clock.advance(10_000);
    expect(acknowledged).toBe(false);
    expect(gateway.notReady()).toEqual(refusing.map((log) => expect.stringContaining(`the ${log} cannot be written`)));
    leave(KEEP_FREE * 4);
    await clock.advance(10_000);
    expect(acknowledged).toBe(true);
    expect(stored.map(({ kind }) => kind)).toContain('aggregate');
    await gateway.stop(never);
  },
);
