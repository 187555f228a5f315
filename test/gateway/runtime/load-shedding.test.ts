import { expect, test } from 'vitest';
import type { MemoryReading } from '../../../gateway/core/memory.ts';
import { LoadShedding } from '../../../gateway/runtime/load-shedding.ts';
import { ManualClock, settle } from '../../manual-clock.ts';
import { recordingLogger } from '../../recording-logger.ts';

/** Load shedding whose memory a test sets, and what it did, in order. */
function scene(atStart: Partial<MemoryReading> = {}) {
  const clock = new ManualClock();
  const logger = recordingLogger();
  const done: string[] = [];
  let reading: MemoryReading = {
    rssBytes: 0,
    rssLimitBytes: null,
    // All of it is there from the start, so that no checkpoint copies any.
    heapUsedBytes: 1_000,
    heapLimitBytes: 1_000,
    ...atStart,
  };
  /** Of the heap, what a collection would free. */
  let garbage = 0;
  let collections = 0;
  const probe = {
    read: () => reading,
    collect: () => {
      collections++;
      reading = { ...reading, heapUsedBytes: reading.heapUsedBytes - garbage };
      garbage = 0;
    },
  };
  const shedding = new LoadShedding({
    probe,
    clock,
    logger,
    liveData: (on) => done.push(`live data ${on ? 'on' : 'off'}`),
    newSeries: (on) => done.push(`new series ${on ? 'on' : 'off'}`),
  });
  const look = (change: Partial<MemoryReading>, freed = 0) => {
    reading = { ...reading, ...change };
    garbage = freed;
    shedding.look();
  };
  const waits = () => shedding.backPressure !== undefined;
  const active = () =>
    shedding
      .status()
      .shedding.filter((step) => step.active)
      .map(({ name }) => name);
  return { shedding, clock, logger, done, look, waits, active, collections: () => collections };
}

test('load is shed in order: live data, new series, sources; and taken up again the other way round', () => {
  const { shedding, done, look, waits, active } = scene();
  const walk = [0.79, 0.8, 0.87, 0.93, 0.83, 0.82, 0.76, 0.69].map((share) => {
    look({ heapUsedBytes: share * 1_000 });
    return [share, shedding.status().state, active().length, waits()];
  });
  expect(walk).toEqual([
    [0.79, 'normal', 0, false],
    [0.8, 'tight', 1, false],
    [0.87, 'tight', 2, false],
    [0.93, 'critical', 3, true],
    [0.83, 'critical', 3, true],
    [0.82, 'tight', 2, false],
    [0.76, 'tight', 1, false],
    [0.69, 'normal', 0, false],
  ]);
  expect(done).toEqual(['live data off', 'new series off', 'new series on', 'live data on']);
});

test('a jump takes every step at once, in order', () => {
  const { done, look, active } = scene();
  look({ heapUsedBytes: 990 });
  expect(done).toEqual(['live data off', 'new series off']);
  expect(active()).toEqual(['live data', 'new series', 'sources']);
});

test('a step that has begun does not flutter around its threshold', () => {
  const { shedding, look } = scene();
  for (let i = 0; i < 20; i++) look({ heapUsedBytes: i % 2 === 0 ? 810 : 750 });
  expect(shedding.status().shedding[0]).toEqual({ name: 'live data', active: true, total: 1 });
});

test('garbage sheds nothing: it is collected first', () => {
  const { done, look, active, collections } = scene();
  look({ heapUsedBytes: 950 }, 500);
  expect(collections()).toBe(1);
  expect(done).toEqual([]);
  expect(active()).toEqual([]);
});

test('garbage is collected at most every ten seconds, and meanwhile what is in use counts as it is', async () => {
  const { clock, look, active, collections } = scene();
  look({ heapUsedBytes: 950 }, 500);
  look({ heapUsedBytes: 810 }, 500);
  expect([collections(), active().length]).toEqual([1, 1]);
  await clock.advance(9_999);
  look({ heapUsedBytes: 810 }, 500);
  expect([collections(), active().length]).toEqual([1, 1]);
  await clock.advance(1);
  look({ heapUsedBytes: 810 }, 500);
  expect([collections(), active().length]).toEqual([2, 0]);
});

test('the copy that a checkpoint makes of the state is counted in, not what the process began with', () => {
  const { look, active } = scene({ heapUsedBytes: 400 });
  look({ heapUsedBytes: 600 });
  expect(active()).toEqual([]);
  // 630 in use, and three quarters of the 230 that were added.
  look({ heapUsedBytes: 630 });
  expect(active()).toEqual(['live data']);
});

test('the resident set counts as the heap does, where its limit is known', () => {
  const { look, active } = scene();
  look({ rssBytes: 950, heapUsedBytes: 0 });
  expect(active()).toEqual([]);
  look({ rssLimitBytes: 1_000 });
  expect(active()).toEqual(['live data', 'new series', 'sources']);
  look({ rssLimitBytes: 10_000 });
  expect(active()).toEqual([]);
});

test('while sources wait a batch is let in every five seconds, and all of them when there is room again', async () => {
  const { shedding, clock, look } = scene();
  look({ heapUsedBytes: 950 });
  let passed = 0;
  const pass = () => void shedding.backPressure?.then(() => passed++);
  pass();
  await clock.advance(4_999);
  expect(passed).toBe(0);
  await clock.advance(1);
  expect(passed).toBe(1);
  pass();
  look({ heapUsedBytes: 100 });
  await settle();
  expect(passed).toBe(2);
  expect(shedding.backPressure).toBeUndefined();
});

test('a stop is not held up', async () => {
  const { shedding, look } = scene();
  look({ heapUsedBytes: 950 });
  const waiting = shedding.backPressure;
  shedding.over();
  await waiting;
  expect(shedding.backPressure).toBeUndefined();
});

test('each step is said in the log with what was seen, and counted', () => {
  const { shedding, logger, look } = scene();
  look({ heapUsedBytes: 880 });
  look({ heapUsedBytes: 100 });
  look({ heapUsedBytes: 880 });
  expect(logger.lines.map(({ level, message }) => [level, message.split(':')[0]])).toEqual([
    ['warn', 'memory is short'],
    ['warn', 'memory is short'],
    ['info', 'memory has room again'],
    ['info', 'memory has room again'],
    ['warn', 'memory is short'],
    ['warn', 'memory is short'],
  ]);
  expect(logger.lines[0]!.details).toMatchObject({ percent: 88, heapUsedBytes: 880, heapLimitBytes: 1_000 });
  expect(shedding.status().shedding.map(({ total }) => total)).toEqual([2, 2, 0]);
});
