/** What one part of the gateway holds in memory, and the most it can come to hold. */
export interface Bound {
  /** What is held, for people: `open windows`. */
  readonly name: string;
  readonly used: number;
  readonly max: number;
  /** What is counted: `bytes`, `readings`, `messages` … */
  readonly unit: string;
}

/** How much memory the process takes, and how much it may. */
export interface MemoryReading {
  /** Resident set. */
  readonly rssBytes: number;
  /** What the resident set may come to: by its cgroup, and by what the box could still give. Null where neither is known. */
  readonly rssLimitBytes: number | null;
  /** The old generation of the JavaScript heap, with what is garbage already. */
  readonly heapUsedBytes: number;
  /** Where V8 would end the process for it. */
  readonly heapLimitBytes: number;
}

/** Looks at the memory of the process; an argument, so that tests can bring their own. */
export interface MemoryProbe {
  /** Cheap: some times a second are fine. */
  read(): MemoryReading;
  /** Collects garbage, all of it, now. Holds everything up meanwhile: up to a second for a gigabyte. */
  collect(): void;
}
