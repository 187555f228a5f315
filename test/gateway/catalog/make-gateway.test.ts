import { expect, test } from 'vitest';
import type { Result } from '../../../gateway/core/result.ts';
import type { Sink } from '../../../gateway/core/sink.ts';
import { bootedGateway } from './booted-gateway.ts';

/** Beside it what a segment writes in advance is little. */
const KEEP_FREE = 8 * 1024 * 1024;

const TEXT = `
storage: { path: /data, keepFree: 8 MiB }
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
    const stored: Result[] = [];
    const sink: Sink = {
      name: 'store',
      type: 'test',
      start: async () => {},
      stop: async () => {},
      write: async (batch) => {
        stored.push(...batch);
        return [];
      },
    };
    const sinks = [{ sink, options: { maxItems: 100, lingerMs: 0 } }];
    const { gateway, clock, disk, send, stop } = await bootedGateway(TEXT, { sinks });
    const leave = (freeBytes: number) => {
      disk.capacity = disk.paths().reduce((sum, path) => sum + disk.content(path).length, 0) + freeBytes;
    };

    // The outbox is about to ask how much room there is when the disk fills.
    const filled = Promise.withResolvers<void>();
    disk.delay = (call, path) =>
      call === 'freeBytes' && /outbox|alarms/.test(path) ? filled.promise : Promise.resolve();
    await send('m', 1, clock.now());
    await send('m', 1, clock.now() + 5_000);
    leave(KEEP_FREE * share);
    filled.resolve();
    await clock.advance(1_000);
    expect(stored.map(({ kind }) => kind).sort()).toEqual(kept);
    let acknowledged = false;
    void send('m', 1, clock.now() + 6_000).then(() => {
      acknowledged = true;
    });
    await clock.advance(10_000);
    expect(acknowledged).toBe(false);
    expect(gateway.notReady()).toEqual(refusing.map((log) => expect.stringContaining(`the ${log} cannot be written`)));
    leave(KEEP_FREE * 4);
    await clock.advance(10_000);
    expect(acknowledged).toBe(true);
    expect(stored.map(({ kind }) => kind)).toContain('aggregate');
    await stop();
  },
);
