import type { MemoryProbe, MemoryReading } from '../gateway/core/memory.ts';

/** What a box tells whose memory is not short. */
export const PLENTY: MemoryReading = {
  rssBytes: 100_000_000,
  rssLimitBytes: null,
  heapUsedBytes: 40_000_000,
  heapLimitBytes: 2_000_000_000,
};

/** A box whose memory never gets short. */
export const plentyOfMemory: MemoryProbe = { read: () => PLENTY, collect: () => undefined };
