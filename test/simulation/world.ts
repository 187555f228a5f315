import type { Configuration } from '../../config/configuration.ts';
import { readChecked } from '../../gateway/buffer/checked-file.ts';
import { lossesIn } from '../../gateway/buffer/log-state.ts';
import { messageOf } from '../../gateway/core/errors.ts';
import { FaultyDisk, seededRandom } from '../model/faulty-disk.ts';
import { type Climate, drawClimate } from './climate.ts';
import { drawConfiguration, withRoom } from './configuration.ts';
import { DiskWeather } from './disk-weather.ts';
import { makeFault, READING } from './faults.ts';
import { Life, type LifeParts } from './life.ts';
import { Losses } from './losses.ts';
import { type Outcome, verifyBalance, verifyOutcome } from './oracle.ts';
import { SimBox } from './sim-box.ts';
import { SimDamage } from './sim-damage.ts';
import { SimNetwork } from './sim-network.ts';
import { SimOperator } from './sim-operator.ts';
import { SimPublisher } from './sim-publisher.ts';
import { SimStore } from './sim-store.ts';
import { SimTime } from './sim-time.ts';
import { TornWrites } from './torn-writes.ts';
import { Trace } from './trace.ts';
import { JournalArchive, verifySameAsWitness } from './witness.ts';
import { untimedDevice, Workload } from './workload.ts';

const LOOK_EVERY_MS = 1_000;
const STOP_WITHIN_MS = 8_000;
/** A start that takes longer is a fault. */
const START_WITHIN_MS = 120_000;
const DRAIN_WITHIN_MS = 1_800_000;
/** After the last reading its window ends, its device is idle, corrections are given, and a flood of alarms is over. */
const QUIET_MS = 180_000;
const QUIET_AFTER_FLOOD_MS = 700_000;
/** A person looks at the alarms that often. */
const ACKNOWLEDGE_EVERY_MS = 20_000;

/** A gateway, its devices, sinks and disk, and all that befalls them, drawn from one seed. */
export class World {
  readonly trace = new Trace();
  readonly #random: () => number;
  readonly #time = new SimTime();
  readonly #disk: FaultyDisk;
  readonly #weather: DiskWeather;
  readonly #archive: JournalArchive;
  readonly #network: SimNetwork;
  readonly #workload: Workload;
  readonly #publishers: readonly SimPublisher[];
  readonly #stores: Readonly<Record<string, SimStore>>;
  readonly #operator: SimOperator;
  readonly #damage: SimDamage;
  readonly #losses = new Losses(this.trace);
  readonly #tornWrites = new TornWrites();
  readonly #climate: Climate;
  readonly #configuration: Configuration;
  readonly #box: SimBox;
  #life: Life;
  #isPublishing = true;

  constructor(seed: number) {
    const random = seededRandom(seed);
    this.#random = random;
    this.#climate = drawClimate(random, seed);
    this.#box = new SimBox(this.#time, random, this.#climate);
    const parts = { time: this.#time, random, trace: this.trace, box: this.#box };
    // Drawn from once, however many sectors there are: how many bytes V8 takes for a number in a checkpoint depends on what it has optimised by then.
    this.#disk = new FaultyDisk(random, () => seededRandom(random() * 4_294_967_296));
    this.#weather = new DiskWeather(this.#disk, parts);
    this.#archive = new JournalArchive(this.#disk);
    this.#network = new SimNetwork(this.#time, random, this.trace);
    this.#workload = new Workload(random, this.#climate);
    const history = new SimStore(() => false, parts);
    this.#stores = { store: new SimStore((key) => /\/venom@ten@\d*[0-3]0000$/.test(key), parts), history };
    this.#damage = new SimDamage(this.#disk, parts);
    this.#operator = new SimOperator(history, parts);
    this.#configuration = drawConfiguration(random, this.#climate);
    this.#life = this.#newLife();
    this.#publishers = ['press', 'pump', 'mill'].map(
      (device) => new SimPublisher(device, random() < 0.5, { ...parts, network: this.#network }),
    );
  }

  /** Lives one life after the other, then lets everything come to rest, and verifies what has become of it. */
  async run(): Promise<void> {
    for (const publisher of this.#publishers) this.#publishSoon(publisher, 20 + this.#random() * 500);
    this.#acknowledgeSoon();
    for (let lives = 1 + Math.floor(this.#random() * 5); lives > 0; lives--) {
      await this.#startLife();
      await this.#liveUntilEnd();
    }
    this.#isPublishing = false;
    await this.#comeToRest();
  }

  #newLife(others: Partial<LifeParts> = {}): Life {
    const random = this.#random;
    return new Life({
      configuration: this.#configuration,
      box: this.#box,
      random,
      disk: this.#disk,
      network: this.#network,
      stores: this.#stores,
      catchUp: this.#climate.catchUp,
      history: this.#operator.history,
      trace: this.trace,
      onDeath: (gateway, losesPower) => this.#tornWrites.end(gateway.status(), losesPower),
      ...others,
    });
  }

  /** Starts a process, and another where it dies while starting; returns when one runs. */
  async #startLife(): Promise<void> {
    this.#weather.endFailures(READING);
    for (;;) {
      const life = this.#newLife();
      this.#life = life;
      if (this.#random() < 0.15) this.#dieAtCall();
      const mayFail = this.#weather.isBad;
      life.start();
      await this.#time.pass(START_WITHIN_MS, () => life.isRunning || life.isOver);
      if (life.isRunning) {
        this.#tornWrites.look(life.gateway.status());
        return;
      }
      if (!life.isOver) throw new Error('it does not start');
      if (life.failure !== undefined && !mayFail) throw new Error('it could not start', { cause: life.failure });
      await this.#waitAfter(life);
    }
  }

  /** Until something starts the process again, or the box. */
  async #waitAfter(life: Life): Promise<void> {
    await this.#time.pass(this.#random() * 5_000);
    if (life.lostPower) this.#box.boot();
    while (this.#climate.isDamaged && this.#random() < 0.4) this.#damage.strike();
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
        box: this.#box,
        climate: this.#climate,
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
      if (life.isRunning) this.#look(life);
    }
  }

  #look(life: Life): void {
    const status = life.gateway.status();
    verifyBalance(status);
    this.#tornWrites.look(status);
    if (this.#climate.isDamaged) this.#losses.look(life.gateway);
  }

  #publishSoon(publisher: SimPublisher, meanMs: number): void {
    this.#time.after(-Math.log(1 - this.#random()) * meanMs, () => {
      if (!this.#isPublishing) return;
      const burst = this.#random() < 0.05 ? 50 : 1;
      for (let i = 0; i < burst; i++) publisher.publish(this.#workload.next(publisher.id, this.#box.trueTime));
      this.#publishSoon(publisher, meanMs);
    });
  }

  #acknowledgeSoon(): void {
    this.#time.after(this.#random() * 2 * ACKNOWLEDGE_EVERY_MS, () => {
      if (!this.#isPublishing) return;
      const life = this.#life;
      if (life.isRunning) this.#operator.acknowledge(life, () => this.#answered(life));
      this.#acknowledgeSoon();
    });
  }

  /** The worst moment to die is the one after an answer. */
  #answered(life: Life): void {
    if (this.#isPublishing && this.#operator.answered.size % 5 === 4) life.die('power cut');
  }

  async #comeToRest(): Promise<void> {
    this.#weather.clear();
    for (const store of Object.values(this.#stores)) store.recover();
    if (this.#life.isOver) await this.#startCalmly(this.#newLife());
    await this.#until('every message is acknowledged', () => this.#publishers.every(({ isDone }) => isDone));
    this.#box.setClock();
    await this.#rest();
    verifyOutcome(await this.#outcome());
    const { outbox, alarmOutbox } = this.#life.gateway.status();
    await this.#stop();
    const hasAll = outbox.droppedItems + alarmOutbox.droppedItems === 0 && !this.#losses.mayCountTwice;
    if (this.#climate.hasOperators && !this.#climate.isDamaged && hasAll) await this.#compareWithWitness();
  }

  async #rest(): Promise<void> {
    await this.#passLooking(this.#climate.hasOperators ? QUIET_AFTER_FLOOD_MS : QUIET_MS);
    const { gateway } = this.#life;
    await this.#until('the sinks have everything', () =>
      gateway.status().sinks.every(({ backlog }) => backlog.records === 0),
    );
  }

  async #stop(): Promise<void> {
    this.#life.stop(STOP_WITHIN_MS);
    await this.#time.pass(STOP_WITHIN_MS, () => this.#life.isOver);
    if (!this.#life.isOver) throw new Error('it does not stop');
  }

  /** Another gateway, without a checkpoint, reads all that was ever in the journal. */
  async #compareWithWitness(): Promise<void> {
    const store = this.#stores['history']!;
    const parts = { time: this.#time, random: this.#random, trace: this.trace };
    const witness = new SimStore(() => false, parts);
    const configuration = withRoom(this.#configuration);
    const disk = this.#archive.toDisk(this.#random);
    await this.#startCalmly(this.#newLife({ configuration, disk, stores: { witness } }));
    await this.#rest();
    await this.#stop();
    verifySameAsWitness(store, witness);
  }

  async #outcome(): Promise<Outcome> {
    const { gateway } = this.#life;
    return {
      climate: this.#climate,
      messages: this.#workload.messages,
      untimedDevices: new Map(
        this.#publishers.map(({ id, isClean }) => [untimedDevice(id), { sessionLasts: !isClean }]),
      ),
      stores: this.#stores,
      operator: this.#operator,
      status: gateway.status(),
      ledger: gateway.ledgerReport(100),
      deadLetters: await this.#await(gateway.deadLetters(100_000)),
      droppedLetters: await this.#droppedLetters(),
      damage: this.#damage,
      losses: this.#losses,
      tornWrites: this.#tornWrites,
    };
  }

  async #until(what: string, isSo: () => boolean): Promise<void> {
    await this.#passLooking(DRAIN_WITHIN_MS, isSo);
    if (!isSo()) throw new Error(`it never comes about that ${what}: ${JSON.stringify(this.#life.gateway.status())}`);
  }

  /** Dead letters go only where a disk was full, the oldest first. */
  async #droppedLetters(): Promise<number> {
    const state = await this.#await(readChecked(this.#disk.mount(), '/box/dead-letters/state'));
    return typeof state === 'string' ? 0 : lossesIn(state).droppedItems;
  }

  async #startCalmly(life: Life): Promise<void> {
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
