import type { Configuration } from '../../config/configuration.ts';
import { messageOf } from '../../gateway/core/errors.ts';
import type { CatchUp } from '../../gateway/runtime/lane.ts';
import { FaultyDisk, seededRandom } from '../model/faulty-disk.ts';
import { drawConfiguration } from './configuration.ts';
import { DiskWeather } from './disk-weather.ts';
import { makeFault } from './faults.ts';
import { Life } from './life.ts';
import { verifyBalance, verifyOutcome } from './oracle.ts';
import { SimClock } from './sim-clock.ts';
import { SimNetwork } from './sim-network.ts';
import { SimPublisher } from './sim-publisher.ts';
import { SimStore } from './sim-store.ts';
import { SimTime } from './sim-time.ts';
import { Trace } from './trace.ts';
import { Workload } from './workload.ts';

/** When the world begins, by a clock that is right: 15 January 2027. */
const BEGINNING = 1_800_000_000_000;
const LOOK_EVERY_MS = 1_000;
const STOP_WITHIN_MS = 8_000;
/** A start that takes longer is a fault. */
const START_WITHIN_MS = 120_000;
const DRAIN_WITHIN_MS = 1_800_000;
/** After the last reading its window ends, its device is idle, and corrections are given. */
const QUIET_MS = 180_000;

/** A gateway, its devices, sinks and disk, and all that befalls them, drawn from one seed. */
export class World {
  readonly trace = new Trace();
  readonly #random: () => number;
  readonly #time = new SimTime();
  readonly #disk: FaultyDisk;
  readonly #weather: DiskWeather;
  readonly #network: SimNetwork;
  readonly #workload: Workload;
  readonly #publishers: readonly SimPublisher[];
  readonly #stores: Readonly<Record<string, SimStore>>;
  readonly #configuration: Configuration;
  readonly #catchUp: CatchUp;
  #life: Life;
  /** By how much the wall clock of the box is wrong. */
  #wallErrorMs = 0;
  #boots = 1;
  #bootedAtMs = 0;
  #isPublishing = true;
  /** A journal too small has said that it forgets what may be sent again. */
  #mayCountTwice = false;

  constructor(seed: number) {
    const random = seededRandom(seed);
    const parts = { time: this.#time, random, trace: this.trace };
    this.#random = random;
    this.trace.listeners.push((event) => {
      this.#mayCountTwice ||= event.includes('fewer redelivered readings are recognised');
    });
    this.#disk = new FaultyDisk(random);
    this.#weather = new DiskWeather(this.#disk, parts);
    this.#network = new SimNetwork(this.#time, random, this.trace);
    this.#workload = new Workload(random);
    this.#stores = {
      store: new SimStore((key) => /\/venom@ten@\d*[0-3]0000$/.test(key), parts),
      history: new SimStore(() => false, parts),
    };
    this.#configuration = drawConfiguration(random);
    this.#catchUp = { order: random() < 0.5 ? 'newest-first' : 'in-order', maxPerSecond: 200 };
    this.#life = this.#newLife();
    const network = this.#network;
    this.#publishers = ['press', 'pump', 'mill'].map(
      (device) => new SimPublisher(device, random() < 0.5, { time: this.#time, random, network }),
    );
  }

  /** Lives one life after the other, then lets everything come to rest, and verifies what has become of it. */
  async run(): Promise<void> {
    for (const publisher of this.#publishers) this.#publishSoon(publisher, 20 + this.#random() * 500);
    for (let lives = 1 + Math.floor(this.#random() * 5); lives > 0; lives--) {
      await this.#startLife();
      await this.#liveUntilEnd();
    }
    this.#isPublishing = false;
    await this.#comeToRest();
  }

  #newLife(): Life {
    const random = this.#random;
    return new Life({
      configuration: this.#configuration,
      clock: new SimClock(this.#time, this.#bootedAtMs, this.#trueTime + this.#wallErrorMs),
      boot: `boot ${this.#boots}`,
      random,
      disk: this.#disk,
      network: this.#network,
      stores: this.#stores,
      catchUp: this.#catchUp,
      history: { aggregates: () => [], alarms: () => [] },
      trace: this.trace,
    });
  }

  /** Half a millisecond past a whole one: what a device has measured is never taken for a time of the gateway, which tells whole ones. */
  get #trueTime(): number {
    return BEGINNING + Math.round(this.#time.nowMs) + 0.5;
  }

  /** Starts a process, and another where it dies while starting; returns when one runs. */
  async #startLife(): Promise<void> {
    for (;;) {
      const life = this.#newLife();
      this.#life = life;
      if (this.#random() < 0.15) this.#dieAtCall();
      const mayFail = this.#weather.isBad;
      life.start();
      await this.#time.pass(START_WITHIN_MS, () => life.isRunning || life.isOver);
      if (life.isRunning) return;
      if (!life.isOver) throw new Error('it does not start');
      if (life.failure !== undefined && !mayFail) throw new Error('it could not start', { cause: life.failure });
      await this.#waitAfter(life);
    }
  }

  /** Until something starts the process again, or the box. */
  async #waitAfter(life: Life): Promise<void> {
    await this.#time.pass(this.#random() * 5_000);
    if (!life.lostPower) return;
    this.#boots++;
    this.#bootedAtMs = this.#time.nowMs;
  }

  async #liveUntilEnd(): Promise<void> {
    const random = this.#random;
    const life = this.#life;
    for (let faults = Math.floor(random() * 6); faults > 0; faults--) {
      await this.#passLooking(random() * 15_000);
      if (life.isOver) return;
      makeFault(random, {
        weather: this.#weather,
        network: this.#network,
        stores: Object.values(this.#stores),
        clock: life.clock,
        trueTime: () => this.#trueTime,
      });
    }
    await this.#passLooking(random() * 15_000);
    if (life.isOver) return;
    const draw = random();
    if (draw < 0.3) life.die('power cut');
    else if (draw < 0.6) life.die('killed');
    else if (draw < 0.8) this.#dieAtCall();
    else life.stop(STOP_WITHIN_MS);
    await this.#passLooking(STOP_WITHIN_MS * 2);
    if (!life.isOver) life.die('killed');
    this.#wallErrorMs = life.clock.now() - this.#trueTime;
    await this.#waitAfter(life);
  }

  #dieAtCall(): void {
    const how = this.#random() < 0.5 ? 'killed' : 'power cut';
    const life = this.#life;
    const isBefore = this.#random() < 0.5;
    this.#weather.atCall(1 + Math.floor(this.#random() ** 2 * 100), () => {
      if (isBefore) life.die(how);
      else this.#time.after(0, () => life.die(how));
    });
  }

  /** Lets time pass, and looks now and then whether the books balance. */
  async #passLooking(ms: number, until: () => boolean = () => false): Promise<void> {
    const life = this.#life;
    const end = this.#time.nowMs + ms;
    while (this.#time.nowMs < end && !life.isOver && !until()) {
      await this.#time.pass(Math.min(LOOK_EVERY_MS, end - this.#time.nowMs), () => life.isOver);
      if (life.failure !== undefined) throw new Error('it could not go on', { cause: life.failure });
      if (life.isRunning) verifyBalance(life.gateway.status());
    }
  }

  #publishSoon(publisher: SimPublisher, meanMs: number): void {
    this.#time.after(-Math.log(1 - this.#random()) * meanMs, () => {
      if (!this.#isPublishing) return;
      const burst = this.#random() < 0.05 ? 50 : 1;
      for (let i = 0; i < burst; i++) publisher.publish(this.#workload.next(publisher.id, this.#trueTime));
      this.#publishSoon(publisher, meanMs);
    });
  }

  async #comeToRest(): Promise<void> {
    this.#weather.clear();
    for (const store of Object.values(this.#stores)) store.recover();
    this.#wallErrorMs = 0;
    if (this.#life.isOver) await this.#startCalmly();
    await this.#until('every message is acknowledged', () => this.#publishers.every(({ isDone }) => isDone));
    this.#life.clock.jump(this.#trueTime - this.#life.clock.now());
    await this.#passLooking(QUIET_MS);
    const { gateway } = this.#life;
    await this.#until('the sinks have everything', () =>
      gateway.status().sinks.every(({ backlog }) => backlog.records === 0),
    );
    verifyOutcome({
      messages: this.#workload.messages,
      stores: this.#stores,
      status: gateway.status(),
      deadLetters: await this.#await(gateway.deadLetters(100_000)),
      droppedLetters: this.#droppedLetters(),
      mayCountTwice: this.#mayCountTwice,
    });
    this.#life.stop(STOP_WITHIN_MS);
    await this.#time.pass(STOP_WITHIN_MS, () => this.#life.isOver);
    if (!this.#life.isOver) throw new Error('it does not stop');
  }

  async #until(what: string, isSo: () => boolean): Promise<void> {
    await this.#passLooking(DRAIN_WITHIN_MS, isSo);
    if (!isSo()) throw new Error(`it never comes about that ${what}: ${JSON.stringify(this.#life.gateway.status())}`);
  }

  #droppedLetters(): number {
    const [, json] = /^\w+ (.*)/.exec(this.#disk.content('/box/dead-letters/state').toString()) ?? [];
    return JSON.parse(json ?? '{}').droppedItems ?? 0;
  }

  async #startCalmly(): Promise<void> {
    const life = this.#newLife();
    this.#life = life;
    life.start();
    await this.#time.pass(START_WITHIN_MS, () => life.isRunning || life.isOver);
    if (!life.isRunning) throw new Error('it does not start', { cause: life.failure });
  }

  async #await<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const done = promise.finally(() => {
      settled = true;
    });
    await this.#time.pass(START_WITHIN_MS, () => settled);
    if (!settled) throw new Error('no answer', { cause: messageOf(promise) });
    return await done;
  }
}
