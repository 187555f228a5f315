import { DeadlineQueue, type Due } from '../base/deadline-queue.ts';
import type { EpochMs } from '../core/clock.ts';
import type { Series } from '../core/reading.ts';
import { type DisorderBounds, LearntDisorder } from './learnt-disorder.ts';
import { listOf, numberOf, recordOf, textOf, unreadable } from './snapshot.ts';

/** What says whose time a series goes by. */
type TimedSeries = Pick<Series, 'device' | 'tags'> & Partial<Pick<Series, 'key' | 'derived'>>;

/** How the watermark of a device follows its series. */
export interface WatermarkOptions {
  /** How far readings of one series may be out of order, in milliseconds of event time. */
  readonly outOfOrdernessMs: number;
  /**
   * A device whose readings were further out of order lately is allowed as much as they were, up to this.
   * @default `outOfOrdernessMs`, so that nothing is learnt
   */
  readonly maxOutOfOrdernessMs?: number | undefined;
  /** A series that has brought nothing newer for this long, in milliseconds of receive time, no longer holds its device's windows open. */
  readonly idleTimeoutMs: number;
}

/** What the watermark knows of one series. */
export class SeriesClock implements Due {
  readonly device: DeviceClock;
  /** Place among all series in order of appearance. */
  readonly order: number;
  /** Place among the series of the device. */
  readonly place: number;
  /** Greatest source time seen. */
  newest: EpochMs = Number.NEGATIVE_INFINITY;
  /** Receive time of the last reading that was newer than all before, or that ended idleness. */
  progressAt: EpochMs = Number.NEGATIVE_INFINITY;
  idle = true;
  /** Whether `newest` was said by the gateway's clock, as the device has none. */
  stamped = false;
  /** When to look whether it has become idle: never later than when it does. */
  due: EpochMs = Number.POSITIVE_INFINITY;

  constructor(device: DeviceClock, order: number, place: number) {
    this.device = device;
    this.order = order;
    this.place = place;
  }
}

/** The watermark of one device, and the least `newest` of its series that are not idle. */
export class DeviceClock {
  /** Site and device, unique. */
  readonly key: string;
  /** Place among all devices in order of appearance. */
  readonly order: number;
  readonly disorder: LearntDisorder;
  /** Readings with an earlier source time are expected to be in. Never goes back; −∞ before the first reading. */
  watermark: EpochMs = Number.NEGATIVE_INFINITY;
  /** How many of its series are not idle. */
  active = 0;
  /** Receive time at which the last series became idle. */
  idleSince: EpochMs = Number.NEGATIVE_INFINITY;
  /** How many series it has. */
  size = 0;
  /**
   * A tournament tree: leaves from `#leaves` on hold the newest source time of each series, +∞ for an idle one; every node holds
   * the least of the two below it, so the least of all is at 1. Counting the holders of the minimum would be cheaper where
   * many series share one time, but costs a scan for each reading where the times of 1 000 series all differ.
   */
  #tree = new Float64Array(2).fill(Number.POSITIVE_INFINITY);
  #leaves = 1;

  constructor(key: string, order: number, disorder: LearntDisorder) {
    this.key = key;
    this.order = order;
    this.disorder = disorder;
  }

  /** How far its readings may be out of order just now, in milliseconds of event time. */
  get outOfOrdernessMs(): number {
    return this.disorder.allowedMs;
  }

  /** The place of a further series. */
  grow(): number {
    if (this.size === this.#leaves) {
      const old = this.#tree;
      const leaves = this.#leaves;
      this.#leaves = leaves * 2;
      this.#tree = new Float64Array(leaves * 4).fill(Number.POSITIVE_INFINITY);
      for (let place = 0; place < leaves; place++) this.set(place, old[leaves + place]!);
    }
    return this.size++;
  }

  set(place: number, time: EpochMs): void {
    const tree = this.#tree;
    let at = this.#leaves + place;
    tree[at] = time;
    while (at > 1) {
      const least = Math.min(tree[at]!, tree[at ^ 1]!);
      at >>= 1;
      if (tree[at] === least) return;
      tree[at] = least;
    }
  }

  /** The least of all; +∞ when every series is idle. */
  least(): EpochMs {
    return this.#tree[1]!;
  }
}

/**
 * One watermark for each device: the least of what its series have reached, less the allowed disorder. A device with a wrong clock
 * moves no other device's watermark. A series that brings nothing newer for a while is idle and left out, so that a silent,
 * sparse or stuck one does not hold the others; when it returns, the watermark does not go back for it.
 *
 * When a series becomes idle depends on the receive times only: the caller takes expirations with `expire` in order, before it
 * tells of a reading that was received at or after them.
 */
export class Watermarks {
  readonly #options: WatermarkOptions;
  readonly #disorder: DisorderBounds;
  readonly #learns: boolean;
  readonly #devices = new Map<string, DeviceClock>();
  readonly #series: SeriesClock[] = [];
  /** Every series that is not idle. */
  readonly #deadlines = new DeadlineQueue<SeriesClock>();

  constructor(options: WatermarkOptions) {
    const { outOfOrdernessMs: leastMs, maxOutOfOrdernessMs: mostMs = leastMs } = options;
    this.#options = options;
    this.#disorder = { leastMs, mostMs };
    this.#learns = mostMs > leastMs;
  }

  /** A clock for a series that has none yet; idle until its first reading. */
  track(series: TimedSeries): SeriesClock {
    return this.#track(deviceKey(series));
  }

  /** The same for a group of series that is no device; `key` names it. */
  trackIn(key: string): SeriesClock {
    return this.#track(key);
  }

  /** Waits for a series from `now` on as if it had just brought something, though it may never have. */
  expect(clock: SeriesClock, now: EpochMs): void {
    clock.progressAt = now;
    if (!clock.idle) return;
    this.#wake(clock);
    clock.device.set(clock.place, clock.newest);
  }

  /** How far readings of the series' device may be out of order just now; undefined for a device that is not known. */
  outOfOrdernessMs(series: TimedSeries): number | undefined {
    return this.#devices.get(deviceKey(series))?.outOfOrdernessMs;
  }

  /** Before it is known whether a reading is late: its device learns from it how far they are out of order. */
  learn(clock: SeriesClock, sourceTime: EpochMs): void {
    if (this.#learns) clock.device.disorder.learn(sourceTime, clock.newest);
  }

  /** The watermark of the series' device; undefined before the first reading of the device. */
  of(series: TimedSeries): EpochMs | undefined {
    const watermark = this.#devices.get(deviceKey(series))?.watermark;
    return watermark === Number.NEGATIVE_INFINITY ? undefined : watermark;
  }

  /**
   * A reading that is not late. At most log2 of the device's series in steps, mostly one or two.
   * @param now its receive time, which never goes back
   * @param stamped whether its source time is its receive time
   * @returns whether the device's watermark has moved
   */
  observe(clock: SeriesClock, sourceTime: EpochMs, now: EpochMs, stamped = false): boolean {
    if (sourceTime > clock.newest) {
      clock.newest = sourceTime;
      clock.stamped = stamped;
      clock.progressAt = now;
      if (clock.idle) this.#wake(clock);
    } else {
      if (!clock.idle) return false;
      clock.progressAt = now;
      this.#wake(clock);
    }
    clock.device.set(clock.place, clock.newest);
    return this.#move(clock.device);
  }

  /** Whether a series has become idle by `now` that `expire` has not been asked for. */
  hasExpired(now: EpochMs): boolean {
    return this.#nextExpired(now) !== undefined;
  }

  /** The wall clock was set, and receive time with it: nobody has become more idle by that. */
  step(byMs: number): void {
    for (const device of this.#devices.values()) device.idleSince += byMs;
    for (const clock of this.#series) {
      clock.progressAt += byMs;
      // Moving all of them leaves their order in the queue as it is.
      clock.due += byMs;
    }
  }

  /** Forgets how far the series of a device have come. Where these are all it has, its watermark begins anew too. */
  beginAnew(device: DeviceClock, series: readonly SeriesClock[]): void {
    for (const clock of series) {
      clock.newest = Number.NEGATIVE_INFINITY;
      if (!clock.idle) device.set(clock.place, clock.newest);
    }
    device.disorder.beginAnew();
    if (series.length === device.size) device.watermark = Number.NEGATIVE_INFINITY;
  }

  /** No series becomes idle before this receive time; +∞ when all are. */
  get nextDeadline(): EpochMs {
    return this.#deadlines.peek()?.due ?? Number.POSITIVE_INFINITY;
  }

  /**
   * Takes the first series that has become idle by `now` out of its device's watermark, which may move.
   * @returns the device; undefined when no more series have become idle by then
   */
  expire(now: EpochMs): DeviceClock | undefined {
    const clock = this.#nextExpired(now);
    if (clock === undefined) return undefined;
    this.#deadlines.pop();
    clock.idle = true;
    clock.device.active--;
    clock.device.idleSince = clock.due;
    clock.device.set(clock.place, Number.POSITIVE_INFINITY);
    this.#move(clock.device);
    return clock.device;
  }

  /** Series are in the order in which they were tracked. */
  snapshot(): unknown {
    return {
      devices: [...this.#devices.values()].map(({ key, watermark, disorder }) => [
        key,
        watermark,
        ...(this.#learns ? [disorder.snapshot()] : []),
      ]),
      series: this.#series.map(({ device, newest, progressAt, idle, stamped }) => [
        device.order,
        newest,
        progressAt,
        idle,
        stamped,
      ]),
    };
  }

  /** Into a new instance. @returns the clocks in the order in which they were tracked */
  restore(snapshot: unknown): readonly SeriesClock[] {
    const { devices, series } = recordOf(snapshot, 'the watermarks');
    const restored = listOf(devices, 'the watermarks').map((entry) => {
      const [key, watermark, disorder] = listOf(entry, 'the watermark of a device');
      const device = this.#device(textOf(key, 'the name of a device'));
      device.watermark = numberOf(watermark, 'the watermark of a device');
      // There is none from an earlier release, nor where nothing was learnt.
      if (disorder !== undefined) device.disorder.restore(disorder);
      return device;
    });
    for (const entry of listOf(series, 'the watermarks')) {
      const [order, newest, progressAt, idle, stamped] = listOf(entry, 'the clock of a series');
      const device = restored[numberOf(order, 'the clock of a series')];
      if (device === undefined) throw unreadable('the clock of a series', order);
      const clock = this.#track(device.key);
      clock.newest = numberOf(newest, 'the clock of a series');
      clock.progressAt = numberOf(progressAt, 'the clock of a series');
      clock.stamped = stamped === true;
      if (idle === true) continue;
      this.#wake(clock);
      device.set(clock.place, clock.newest);
    }
    return this.#series;
  }

  /** The first series of the queue where it has become idle by `now`. */
  #nextExpired(now: EpochMs): SeriesClock | undefined {
    for (;;) {
      const clock = this.#deadlines.peek();
      if (clock === undefined || clock.due > now) return undefined;
      const due = clock.progressAt + this.#options.idleTimeoutMs;
      if (due === clock.due) return clock;
      // Progress does not touch the queue, which would cost every reading: the entry is put right when it comes up.
      this.#deadlines.pop();
      clock.due = due;
      this.#deadlines.push(clock);
    }
  }

  #track(key: string): SeriesClock {
    const device = this.#device(key);
    const clock = new SeriesClock(device, this.#series.length, device.grow());
    this.#series.push(clock);
    return clock;
  }

  #device(key: string): DeviceClock {
    let device = this.#devices.get(key);
    if (device === undefined) {
      device = new DeviceClock(key, this.#devices.size, new LearntDisorder(this.#disorder));
      this.#devices.set(key, device);
    }
    return device;
  }

  #wake(clock: SeriesClock): void {
    clock.idle = false;
    clock.due = clock.progressAt + this.#options.idleTimeoutMs;
    clock.device.active++;
    this.#deadlines.push(clock);
  }

  #move(device: DeviceClock): boolean {
    const least = device.least();
    if (least === Number.POSITIVE_INFINITY) return false;
    const watermark = least - device.outOfOrdernessMs;
    if (watermark <= device.watermark) return false;
    device.watermark = watermark;
    return true;
  }
}

/** Names have no control characters, so the parts cannot run together. A derived series is a device of its own: it holds no other up. */
function deviceKey(series: TimedSeries): string {
  const key = `${series.tags['site'] ?? ''}\n${series.device}`;
  return series.derived === true ? `${key}\n${series.key}` : key;
}
