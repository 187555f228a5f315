/** An independent witness of the window stage: it keeps every reading, and sorts and adds up anew whenever it is asked. */

export interface WitnessReading {
  readonly device: string;
  readonly metric: string;
  /** Of a text it is 1. */
  readonly value: number;
  readonly text?: string;
  readonly quality: 0 | 1 | 2;
  readonly sourceTime: number;
  readonly receiveTime: number;
}

export interface WitnessWindow {
  readonly name: string;
  readonly size: number;
  /** One begins at each multiple of this. */
  readonly every: number;
  /** Of a session instead: how long it lasts after its last reading. */
  readonly gap?: number;
  /** Of a rollup: the name of what it is made from. It holds what that holds. */
  readonly from?: string;
  readonly lateness: number;
  /** How often it gives what it has before its end. */
  readonly early?: number;
  /** Whether it gives each reading that it misses; of a rollup those that what it is made from has taken. */
  readonly stores?: boolean;
}

export interface WitnessResult {
  readonly key: string;
  readonly window: string;
  readonly start: number;
  readonly revision: number;
  readonly fields: Record<string, number>;
  readonly good: number;
}

interface Kept {
  readonly window: WitnessWindow;
  readonly start: number;
  end: number;
  readonly readings: WitnessReading[];
  given: number;
  changed: boolean;
  over: boolean;
  closed: boolean;
  partial: boolean;
}

interface WitnessSeries {
  readonly key: string;
  readonly device: string;
  newest: number;
  progress: number;
  idle: boolean;
  windows: Kept[];
  /** By window: the end of the last one that was closed. */
  readonly floors: Map<WitnessWindow, number>;
  /** By window: how many readings it has missed. */
  readonly missed: Map<WitnessWindow, number>;
}

/** Milliseconds; `disorder` is given, and up to `maxDisorder` it is learnt. */
export interface WitnessTime {
  readonly disorder: number;
  readonly maxDisorder?: number;
  readonly idle: number;
  readonly delay: number;
}

export class Witness {
  readonly results: WitnessResult[] = [];
  readonly fates: string[] = [];
  readonly #time: WitnessTime;
  /** Every reading of a device: when it was measured, and how far behind the newest of its series. */
  readonly #disorders: Record<string, Disorder[]> = {};
  readonly #windows: readonly WitnessWindow[];
  readonly #series: WitnessSeries[] = [];
  readonly #watermarks: Record<string, number> = {};
  #now = Number.NEGATIVE_INFINITY;
  #correctAt = Number.POSITIVE_INFINITY;
  readonly #earlyAt = new Map<WitnessWindow, number>();

  constructor(windows: readonly WitnessWindow[], time: WitnessTime) {
    this.#windows = windows;
    this.#time = time;
  }

  watermark(device: string): number | undefined {
    return this.#watermarks[device];
  }

  disorder(device: string): number {
    return allowedDisorder(this.#disorders[device] ?? [], this.#time);
  }

  reading(reading: WitnessReading): void {
    this.until(reading.receiveTime);
    const key = `${reading.device}/${reading.metric}`;
    let series = this.#series.find((one) => one.key === key);
    if (series === undefined) {
      series = {
        key,
        device: reading.device,
        newest: -Infinity,
        progress: -Infinity,
        idle: true,
        windows: [],
        floors: new Map(),
        missed: new Map(),
      };
      this.#series.push(series);
    }
    this.#disorders[reading.device] ??= [];
    const disorder = series.newest - reading.sourceTime;
    this.#disorders[reading.device]!.push({ time: reading.sourceTime, disorder });
    const watermark = this.#watermarks[reading.device] ?? -Infinity;
    let taken = false;
    let missed = false;
    const takers = new Set<string>();
    for (const window of this.#windows) {
      const holding =
        window.gap === undefined
          ? this.#holding(series, window, reading.sourceTime, watermark)
          : this.#session(series, window, window.gap, reading.sourceTime, watermark);
      const wanted = window.gap === undefined ? window.size / window.every : 1;
      if (holding.length < wanted) {
        missed = true;
        const reached = window.from === undefined || takers.has(window.from);
        if (window.stores === true && reached) this.#store(series, window, reading);
      } else takers.add(window.name);
      for (const kept of holding) {
        taken = true;
        kept.readings.push(reading);
        kept.changed = true;
        if (kept.over && this.#correctAt === Infinity) this.#correctAt = this.#now + this.#time.delay;
        if (!kept.over && window.early !== undefined && !this.#earlyAt.has(window))
          this.#earlyAt.set(window, this.#now + window.early);
      }
    }
    this.fates.push(taken && !missed ? 'aggregated' : 'late');
    if (!taken) return;
    const newer = reading.sourceTime > series.newest;
    if (newer) series.newest = reading.sourceTime;
    if (newer || series.idle) series.progress = this.#now;
    series.idle = false;
    this.#step(reading.device);
  }

  #store(series: WitnessSeries, window: WitnessWindow, { value, quality, sourceTime }: WitnessReading): void {
    const revision = series.missed.get(window) ?? 0;
    series.missed.set(window, revision + 1);
    const behind = Math.max(0, series.newest - sourceTime) / 1000;
    this.results.push({
      key: series.key,
      window: `${window.name}:late`,
      start: Math.floor(sourceTime),
      revision,
      fields: quality === 2 ? { behind } : { value, behind },
      good: quality === 0 ? 1 : 0,
    });
  }

  #holding(series: WitnessSeries, window: WitnessWindow, time: number, watermark: number): Kept[] {
    const holding: Kept[] = [];
    const newest = Math.floor(time / window.every) * window.every;
    for (let start = newest; start + window.size > time; start -= window.every) {
      const end = start + window.size;
      let kept = series.windows.find((one) => one.window === window && one.start === start && !one.closed);
      if (kept === undefined) {
        const missing =
          window.from === undefined
            ? this.#isLate(series, window, end, watermark)
            : end <= (series.floors.get(window) ?? -Infinity) || !this.#isHeld(series, window.from, time);
        if (missing) continue;
        kept = {
          window,
          start,
          end,
          readings: [],
          given: 0,
          changed: false,
          over: end <= watermark,
          closed: false,
          partial: false,
        };
        series.windows.push(kept);
      }
      if (window.from === undefined || this.#isHeld(series, window.from, time)) holding.push(kept);
    }
    return holding;
  }

  /** Whether the window of that name which holds a time is open, and what it is made from: it has just taken the reading, or never will. */
  #isHeld(series: WitnessSeries, name: string, time: number): boolean {
    return series.windows.some(
      ({ window, start, end, closed }) =>
        window.name === name &&
        start <= time &&
        time < end &&
        !closed &&
        (window.from === undefined || this.#isHeld(series, window.from, time)),
    );
  }

  /** Puts together what a reading touches, and takes back what was given under another start. */
  #session(series: WitnessSeries, window: WitnessWindow, gap: number, time: number, watermark: number): Kept[] {
    const touched = series.windows.filter(
      (one) => one.window === window && !one.closed && one.start <= time + gap && one.end >= time,
    );
    if (touched.length === 0 && this.#isLate(series, window, time + gap, watermark)) return [];
    const start = Math.min(Math.floor(time), ...touched.map((one) => one.start));
    const end = Math.max(time + gap, ...touched.map((one) => one.end));
    const given = touched.find((one) => one.start === start)?.given ?? 0;
    for (const one of touched) if (one.start !== start && one.given > 0) this.#takeBack(series.key, one);
    const readings = touched.flatMap((one) => one.readings);
    const changed = touched.some((one) => one.changed);
    const partial = touched.find((one) => one.start === start)?.partial ?? false;
    const kept = { window, start, end, readings, given, changed, over: end <= watermark, closed: false, partial };
    series.windows = [...series.windows.filter((one) => !touched.includes(one)), kept];
    return [kept];
  }

  #isLate(series: WitnessSeries, window: WitnessWindow, end: number, watermark: number): boolean {
    if (end <= (series.floors.get(window) ?? -Infinity)) return true;
    return end + window.lateness <= Math.min(watermark, series.newest - this.disorder(series.device));
  }

  #takeBack(key: string, { window, start, given, partial }: Kept): void {
    const fields = { count: 0, sum: 0, ...(partial ? { partial: 0 } : {}) };
    this.results.push({ key, window: window.name, start, revision: given, fields, good: 0 });
  }

  /** Receive time goes on: one deadline after the other. */
  until(time: number): void {
    if (time <= this.#now) return;
    for (;;) {
      const active = this.#series.filter((one) => !one.idle);
      const next = Math.min(...active.map((one) => one.progress + this.#time.idle));
      const ended = Math.min(...this.#silent().map(([, kept]) => kept.end));
      const early = Math.min(...this.#earlyAt.values());
      if (Math.min(next, ended, this.#correctAt, early) > time) break;
      if (next <= ended && next <= this.#correctAt && next <= early) {
        const series = active.find((one) => one.progress + this.#time.idle === next)!;
        series.idle = true;
        this.#step(series.device);
        this.#giveEnded(next);
      } else if (ended <= this.#correctAt && ended <= early) {
        this.#giveEnded(ended);
      } else if (early < this.#correctAt) {
        this.#giveEarly(early);
      } else {
        this.#correctAt = Infinity;
        for (const one of this.#series) for (const kept of one.windows) if (kept.over) this.#give(one, kept);
      }
    }
    this.#now = time;
  }

  /** What has changed in the windows of devices all of whose series are idle. */
  #silent(): [WitnessSeries, Kept][] {
    const silent = this.#series.filter((one) => this.#of(one.device).every((other) => other.idle));
    return silent.flatMap((one) =>
      one.windows.filter((kept) => kept.changed || kept.partial).map((kept): [WitnessSeries, Kept] => [one, kept]),
    );
  }

  #giveEnded(time: number): void {
    for (const [one, kept] of this.#silent()) if (kept.end <= time) this.#give(one, kept);
  }

  #giveEarly(time: number): void {
    for (const [window, due] of [...this.#earlyAt]) {
      if (due > time) continue;
      this.#earlyAt.delete(window);
      for (const one of this.#series) {
        for (const kept of one.windows) if (kept.window === window && !kept.over) this.#give(one, kept, true);
      }
    }
  }

  #of(device: string): WitnessSeries[] {
    return this.#series.filter((one) => one.device === device);
  }

  #step(device: string): void {
    const active = this.#of(device).filter((one) => !one.idle);
    if (active.length === 0) return;
    const reached = Math.min(...active.map((one) => one.newest)) - this.disorder(device);
    if (reached <= (this.#watermarks[device] ?? -Infinity)) return;
    this.#watermarks[device] = reached;
    for (const one of this.#of(device)) {
      for (const kept of [...one.windows].sort((a, b) => a.start - b.start)) {
        const { end } = kept;
        const closes = end + kept.window.lateness <= reached;
        if (end <= reached && (!kept.over || closes)) this.#give(one, kept);
        if (end <= reached) kept.over = true;
        if (!closes || kept.closed) continue;
        kept.closed = true;
        one.floors.set(kept.window, Math.max(end, one.floors.get(kept.window) ?? -Infinity));
      }
    }
  }

  #give(series: WitnessSeries, kept: Kept, early = false): void {
    if (!kept.changed && (early || !kept.partial)) return;
    kept.changed = false;
    kept.partial = early;
    const { readings, start, window } = kept;
    this.results.push({
      key: series.key,
      window: window.name,
      start,
      revision: kept.given++,
      fields: { ...fieldsOf(readings), ...(window.early === undefined ? {} : { partial: early ? 1 : 0 }) },
      good: readings.filter((one) => one.quality === 0).length / readings.length,
    });
  }
}

/** When a reading was measured, and how far it was behind the newest before it. */
export interface Disorder {
  readonly time: number;
  readonly disorder: number;
}

/** The worst of this hour of readings and the one before, as far as it can be allowed. */
export function allowedDisorder(
  all: readonly Disorder[],
  { disorder, maxDisorder = disorder }: { readonly disorder: number; readonly maxDisorder?: number },
): number {
  let hours: { readonly start: number; readonly worst: number[] }[] = [{ start: -Infinity, worst: [] }];
  for (const one of all) {
    if (one.time - hours.at(-1)!.start >= 3_600_000) hours = [...hours, { start: one.time, worst: [] }];
    if (one.disorder <= maxDisorder) hours.at(-1)!.worst.push(one.disorder);
  }
  return Math.max(disorder, ...hours.slice(-2).flatMap(({ worst }) => worst));
}

/** Every aggregate of the witness over some readings. */
export function fieldsOf(readings: readonly WitnessReading[]): Record<string, number> {
  const trusted = readings.filter((one) => one.quality !== 2);
  const values = trusted.map((one) => one.value).sort((a, b) => a - b);
  const count = values.length;
  if (count === 0) return { count };
  const sum = values.reduce((all, one) => all + one, 0);
  const mean = sum / count;
  const squares = values.reduce((all, one) => all + (one - mean) ** 2, 0);
  const variance = count === 1 ? 0 : squares / (count - 1);
  // Sorting is stable, so readings of one time stay in order of arrival.
  const byTime = [...trusted].sort((a, b) => a.sourceTime - b.sourceTime);
  const newest = byTime.at(-1)!.sourceTime;
  const rank = (share: number) => {
    const at = share * (count - 1);
    const low = values[Math.floor(at)]!;
    const high = values[Math.ceil(at)]!;
    return low + (high - low) * (at - Math.floor(at));
  };
  return {
    count,
    sum,
    mean,
    min: values[0]!,
    max: values.at(-1)!,
    range: values.at(-1)! - values[0]!,
    first: byTime[0]!.value,
    last: trusted.filter((one) => one.sourceTime === newest).at(-1)!.value,
    variance,
    stddev: Math.sqrt(variance),
    median: rank(0.5),
    p90: rank(0.9),
  };
}
