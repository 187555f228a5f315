import type { TimeServiceAnswer } from '../../gateway/base/time-service.ts';
import type { EpochMs } from '../../gateway/core/clock.ts';
import type { Climate } from './climate.ts';
import { SimClock } from './sim-clock.ts';
import type { SimTime } from './sim-time.ts';

/** When the world begins, by a clock that is right: 15 January 2027. */
const BEGINNING = 1_800_000_000_000;
/** A box without a battery says some moment of the first minute of 1970. */
const FIRST_MINUTE_MS = 60_000;
/** How long after a boot the clock is set, at the most. */
const SET_WITHIN_MS = 90_000;

/** The box that the gateway runs on: its clock outlives a process, and without a battery no power cut. */
export class SimBox {
  readonly #time: SimTime;
  readonly #random: () => number;
  readonly #climate: Climate;
  #boots = 0;
  #bootedAtMs = 0;
  #isSynchronised = false;
  /** The clock as the latest process sees it. */
  #clock!: SimClock;

  constructor(time: SimTime, random: () => number, climate: Climate) {
    this.#time = time;
    this.#random = random;
    this.#climate = climate;
    this.boot();
  }

  /** Half a millisecond past a whole one: what a device has measured is never taken for a time of the gateway, which tells whole ones. */
  get trueTime(): EpochMs {
    return BEGINNING + Math.round(this.#time.nowMs) + 0.5;
  }

  /** Names this run of the box. */
  get bootName(): string {
    return `boot ${this.#boots}`;
  }

  /** The power is back. */
  boot(): void {
    const { hasBattery, hasTimeService } = this.#climate;
    const wall = hasBattery ? (this.#clock?.now() ?? this.trueTime) : this.#random() * FIRST_MINUTE_MS;
    const boot = ++this.#boots;
    this.#bootedAtMs = this.#time.nowMs;
    this.#isSynchronised = false;
    this.#clock = this.#clockAt(wall);
    if (!hasTimeService && hasBattery) return;
    this.#time.after(this.#random() * SET_WITHIN_MS, () => {
      if (boot === this.#boots) this.setClock();
    });
  }

  /** The clock of a new process. */
  startClock(): SimClock {
    this.#clock = this.#clockAt(this.#clock.now());
    return this.#clock;
  }

  /** From now on the clock is right, and the time service, where there is one, says so. */
  setClock(): void {
    this.#clock.jump(this.trueTime - this.#clock.now());
    this.#isSynchronised = true;
  }

  /** Somebody sets it wrong. @param byMs by how much it is ahead then */
  missetClock(byMs: number): void {
    this.#clock.jump(this.trueTime + byMs - this.#clock.now());
  }

  /** Answers what the kernel of the box does. */
  readonly timeService = async (): Promise<TimeServiceAnswer> => {
    if (!this.#climate.hasTimeService) return { state: 'unknown', source: 'nobody' };
    return { state: this.#isSynchronised ? 'synchronised' : 'unsynchronised', source: 'the simulated time service' };
  };

  #clockAt(wall: EpochMs): SimClock {
    return new SimClock(this.#time, this.#bootedAtMs, wall, this.#climate.clockRate);
  }
}
