import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { getHeapSpaceStatistics, getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { MemoryProbe } from '../core/memory.ts';

/** V8's limit is for both generations; where no flag says otherwise, the young one takes three parts for 64 of the old one. */
const OLD_SHARE = 64 / 67;
const MIB = 1024 * 1024;
/** The box is asked at every tenth look: that takes longer than all the rest. */
const LOOKS_PER_BOX = 10;

/**
 * Looks at the memory of this process, as V8, Linux and the process's cgroup tell it. Takes some ten microseconds.
 *
 * @param nodeOptions the arguments that Node was started with, as in `NODE_OPTIONS`
 */
export function systemMemory(nodeOptions: string): MemoryProbe {
  const heapLimitBytes = oldGenerationLimit(nodeOptions, getHeapStatistics().heap_size_limit);
  const cgroupBytes = process.constrainedMemory();
  let looks = 0;
  let available: number | undefined;
  let collect: (() => void) | undefined;
  return {
    read() {
      if (looks++ % LOOKS_PER_BOX === 0) available = availableBytes();
      const rssBytes = process.memoryUsage.rss();
      return {
        rssBytes,
        rssLimitBytes: rssLimit(rssBytes, cgroupBytes, available),
        heapUsedBytes: oldGenerationUsed(),
        heapLimitBytes,
      };
    },
    collect() {
      collect ??= garbageCollector();
      collect();
    },
  };
}

/** V8's own, which it shows only in contexts that are made after it was told to. */
function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

/** Where V8 ends the process for its old generation, in bytes; `heapSizeLimit` is the one for both. */
export function oldGenerationLimit(nodeOptions: string, heapSizeLimit: number): number {
  const flags = [...nodeOptions.matchAll(/--max[-_]old[-_]space[-_]size[= ](\d+)/g)];
  const mib = flags.at(-1)?.[1];
  return mib === undefined ? heapSizeLimit * OLD_SHARE : Number(mib) * MIB;
}

/**
 * What the resident set may come to, in bytes: the limit of the cgroup, 0 or no less than the box has where there is none, or what the
 * box still has beside it, whichever is less; null where neither is known.
 */
export function rssLimit(rssBytes: number, cgroupBytes: number, available: number | undefined): number | null {
  const cgroup = cgroupBytes > 0 && cgroupBytes < totalmem() ? cgroupBytes : Number.POSITIVE_INFINITY;
  const box = available === undefined ? Number.POSITIVE_INFINITY : rssBytes + available;
  const limit = Math.min(cgroup, box);
  return Number.isFinite(limit) ? limit : null;
}

/** `MemAvailable` of a `/proc/meminfo`, in bytes. */
export function parseAvailable(meminfo: string): number | undefined {
  const kib = /^MemAvailable:\s+(\d+) kB$/m.exec(meminfo)?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

function oldGenerationUsed(): number {
  let used = 0;
  for (const { space_name, space_used_size } of getHeapSpaceStatistics()) {
    if (!space_name.startsWith('new_')) used += space_used_size;
  }
  return used;
}

/** Not `os.freemem`: where `/proc/meminfo` is hidden, as in a sandbox, that falls back to a number without the page cache. */
function availableBytes(): number | undefined {
  try {
    return parseAvailable(readFileSync('/proc/meminfo', 'utf8'));
  } catch {
    return undefined; // not Linux, or hidden: then only the heap and the cgroup bound us
  }
}
