/** Joins in their plainest form: a witness that keeps every reading, and in the end sorts what was not late. */

/** A reading as the witness is told of it. Times of different series never are the same. */
export interface WitnessReading {
  readonly device: string;
  readonly metric: string;
  readonly isLeft: boolean;
  readonly value: number;
  readonly quality: 0 | 1 | 2;
  readonly sourceTime: number;
  readonly receiveTime: number;
}

export interface WitnessRules {
  readonly kind:
    | { readonly withinMs: number }
    | { readonly asOfMs: number }
    | { readonly tumblingMs: number; readonly aggregate: string };
  readonly waitMs: number;
  readonly outOfOrdernessMs: number;
  /** What a pair gives. */
  readonly value: (left: number, right: number) => number;
}

export interface WitnessPair {
  readonly metric: string;
  readonly time: number;
  readonly value: number;
  readonly quality: number;
}

interface Clock {
  newest: number;
  progressAt: number;
  active: boolean;
}

/** The pairs of one device in order, and the readings that were late, when in the end everybody is silent. */
export function witnessJoin(
  rules: WitnessRules,
  readings: readonly WitnessReading[],
): { readonly pairs: readonly WitnessPair[]; readonly late: number } {
  const inTime = new Timeline(rules, readings).inTime();
  const sorted = inTime.toSorted((a, b) => a.sourceTime - b.sourceTime);
  const { kind } = rules;
  const pairs =
    'withinMs' in kind
      ? within(sorted, kind.withinMs, rules)
      : 'asOfMs' in kind
        ? asOf(sorted, kind.asOfMs, rules)
        : inWindows(sorted, kind, rules);
  return { pairs, late: readings.length - inTime.length };
}

/** Says which readings were in time, going through every moment at which anything happens. */
class Timeline {
  readonly #rules: WitnessRules;
  readonly #readings: readonly WitnessReading[];
  readonly #clocks = new Map<string, Clock>();
  readonly #inTime: WitnessReading[] = [];
  #matchedTo = -Infinity;
  #silentSince = Infinity;

  constructor(rules: WitnessRules, readings: readonly WitnessReading[]) {
    this.#rules = rules;
    this.#readings = readings;
  }

  inTime(): readonly WitnessReading[] {
    for (const reading of this.#readings) {
      this.#pass(reading.receiveTime);
      this.#take(reading);
    }
    return this.#inTime;
  }

  /** Whatever happens by itself until `now`, one thing after the other. */
  #pass(now: number): void {
    for (;;) {
      const idleAt = Math.min(...this.#active().map(({ progressAt }) => progressAt + this.#rules.waitMs));
      if (idleAt <= now) this.#expire(idleAt);
      else break;
    }
    // A silent device ends its window when the time has come.
    const end = this.#openWindowEnd();
    if (this.#active().length === 0 && end <= now && this.#silentSince <= now)
      this.#matchedTo = Math.max(this.#matchedTo, end);
  }

  #expire(at: number): void {
    for (const clock of this.#active()) {
      if (clock.progressAt + this.#rules.waitMs > at) continue;
      clock.active = false;
      this.#follow();
    }
    if (this.#active().length > 0) return;
    this.#silentSince = at;
    this.#matchedTo = Math.max(this.#matchedTo, ...this.#inTime.map(({ sourceTime }) => sourceTime));
  }

  #take(reading: WitnessReading): void {
    const { metric, isLeft, sourceTime, receiveTime } = reading;
    if (this.#clocks.size === 0)
      for (const side of ['(left)', '(right)'])
        this.#clocks.set(side, { newest: -Infinity, progressAt: receiveTime, active: true });
    const side = isLeft ? '(left)' : '(right)';
    const clock = this.#clocks.get(metric) ??
      this.#clocks.get(side) ?? { newest: -Infinity, progressAt: receiveTime, active: false };
    this.#clocks.set(metric, clock);
    this.#clocks.delete(side);
    if (sourceTime < this.#matchedTo) return;
    if (this.#active().length === 0)
      for (const one of this.#clocks.values()) Object.assign(one, { active: true, progressAt: receiveTime });
    this.#inTime.push(reading);
    if (sourceTime > clock.newest) Object.assign(clock, { newest: sourceTime, progressAt: receiveTime, active: true });
    else if (!clock.active) Object.assign(clock, { progressAt: receiveTime, active: true });
    this.#follow();
  }

  #active(): readonly Clock[] {
    return [...this.#clocks.values()].filter(({ active }) => active);
  }

  #follow(): void {
    const least = Math.min(...this.#active().map(({ newest }) => newest));
    if (Number.isFinite(least)) this.#matchedTo = Math.max(this.#matchedTo, least - this.#rules.outOfOrdernessMs);
  }

  #openWindowEnd(): number {
    const { kind } = this.#rules;
    const good = this.#inTime.filter(({ quality }) => quality < 2).map(({ sourceTime }) => sourceTime);
    if (!('tumblingMs' in kind) || good.length === 0) return Infinity;
    return endOf(Math.max(...good), kind.tumblingMs);
  }
}

function within(sorted: readonly WitnessReading[], withinMs: number, { value }: WitnessRules): readonly WitnessPair[] {
  return sorted.flatMap((later, index) => {
    const earlier = sorted
      .slice(0, index)
      .filter((one) => one.isLeft !== later.isLeft && later.sourceTime - one.sourceTime <= withinMs);
    return earlier
      .toSorted((a, b) => (a.metric < b.metric ? -1 : a.metric > b.metric ? 1 : a.sourceTime - b.sourceTime))
      .map((one) => pairOf(later.isLeft ? later : one, later.isLeft ? one : later, later.sourceTime, value));
  });
}

function asOf(sorted: readonly WitnessReading[], asOfMs: number, { value }: WitnessRules): readonly WitnessPair[] {
  return sorted.flatMap((left, index) => {
    if (!left.isLeft) return [];
    const last = sorted.slice(0, index).findLast((one) => !one.isLeft);
    return last !== undefined && left.sourceTime - last.sourceTime <= asOfMs
      ? [pairOf(left, last, left.sourceTime, value)]
      : [];
  });
}

/** The means of both sides, window by window; or all pairs. */
function inWindows(
  sorted: readonly WitnessReading[],
  { tumblingMs: sizeMs, aggregate }: { readonly tumblingMs: number; readonly aggregate: string },
  { value }: WitnessRules,
): readonly WitnessPair[] {
  const isPairs = aggregate === 'pairs';
  const windows = Map.groupBy(
    sorted.filter(({ quality }) => quality < 2),
    ({ sourceTime }) => endOf(sourceTime, sizeMs),
  );
  return [...windows].flatMap(([end, ofWindow]) => {
    const right = ofWindow.filter(({ isLeft }) => !isLeft);
    const lefts = [
      ...Map.groupBy(
        ofWindow.filter(({ isLeft }) => isLeft),
        ({ metric }) => metric,
      ),
    ];
    if (right.length === 0) return [];
    return lefts
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([metric, left]): readonly WitnessPair[] => {
        if (isPairs) return left.flatMap((one) => right.map((other) => pairOf(one, other, end - 1, value)));
        return [
          {
            metric,
            time: end - 1,
            value: value(meanOf(left), meanOf(right)),
            quality: Math.max(...left.map(({ quality }) => quality), ...right.map(({ quality }) => quality)),
          },
        ];
      });
  });
}

function pairOf(left: WitnessReading, right: WitnessReading, time: number, value: WitnessRules['value']): WitnessPair {
  return {
    metric: left.metric,
    time,
    value: value(left.value, right.value),
    quality: Math.max(left.quality, right.quality),
  };
}

function meanOf(readings: readonly WitnessReading[]): number {
  return readings.reduce((sum, { value }) => sum + value, 0) / readings.length;
}

function endOf(time: number, sizeMs: number): number {
  return (Math.floor(time / sizeMs) + 1) * sizeMs;
}
