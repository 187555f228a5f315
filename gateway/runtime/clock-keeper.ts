import { isoTime } from '../base/iso-time.ts';
import type { SteadyClock } from '../base/steady-clock.ts';
import { withTimeLimit } from '../base/time-limit.ts';
import type { TimeServiceAnswer } from '../base/time-service.ts';
import type { EpochMs } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/telemetry.ts';
import type { ClockState, ClockStatus } from '../core/view.ts';
import { type Analysis, setBackAfter } from './analysis.ts';
import type { ClockReference, TimeCommand } from './command.ts';
import { timeAt } from './provisional-readings.ts';

/** How much the clock of the system is trusted. */
export interface ClockTrust {
  /**
   * `auto`: it is waited for as long as a time service is at work on it, for `syncWaitMs` at most; `required`: until it is synchronised;
   * `ignore`: nobody is asked.
   */
  readonly sync: 'auto' | 'required' | 'ignore';
  readonly syncWaitMs: number;
  /** Asks the box whether its clock is synchronised. Must not reject. */
  readonly ask: (signal: AbortSignal) => Promise<TimeServiceAnswer>;
  /** Names this run of the operating system. */
  readonly boot: string;
}

/** What keeps the clock. */
export interface ClockKeeperParts {
  readonly clock: SteadyClock;
  readonly trust: ClockTrust;
  readonly logger: Logger;
  /** Tells the analysis, by way of the journal. */
  readonly tell: (command: TimeCommand) => void;
  readonly analysis: Pick<
    Analysis,
    'provisional' | 'receiveTime' | 'knownTime' | 'setBackMs' | 'reference' | 'judgesSilence'
  >;
}

/** No clock that is right says a time before this release was made: 2025-01-01. */
export const RELEASED: EpochMs = 1_735_689_600_000;

/** Differences up to this are adopted as they are: time services turn a clock by that without setting it. */
const SLEW_MS = 50;
/** Clocks tell whole milliseconds: differences up to this are none. */
const RESOLUTION_MS = 1;
/** A clock this little behind what was known before a restart was only turned. */
const TOLERANCE_MS = 1_000;
const ASK_LIMIT_MS = 5_000;
const ASK_AGAIN_MS = 20_000;
/** Once the time is known, an answer changes what people are told, no more. */
const ASK_AGAIN_KNOWN_MS = 600_000;

/**
 * Knows whether the time is known. Until it is, the steady clock goes on from the latest time that was known, and readings without a time
 * of their own are provisional. From then on it follows the clock of the system, and tells the analysis when somebody has set that.
 */
export class ClockKeeper {
  readonly #parts: ClockKeeperParts;
  #answer: TimeServiceAnswer | undefined;
  #isKnown = false;
  #begun = false;
  #givenUp = false;
  /** The system's clock is not believed before this. */
  #earliest = RELEASED;
  readonly #createdMs: number;
  #setBackMs = 0;
  #steppedTotal = 0;
  #lastStepMs: number | null = null;

  constructor(parts: ClockKeeperParts) {
    this.#parts = parts;
    this.#createdMs = parts.clock.monotonicMs();
    if (parts.trust.sync === 'ignore') this.#answer = { state: 'unknown', source: 'nobody is asked' };
  }

  /** Whether it is known what time it is. It never becomes unknown again while the process runs: then the steady clock knows it. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /**
   * What the future of a reading is judged by that came at `receiveTime`; undefined while nobody knows what time it is. Where the clock was
   * set back, what was the present before is no future: somebody may have made a mistake.
   */
  latest(receiveTime: EpochMs): EpochMs | undefined {
    return this.#isKnown ? receiveTime + this.#setBackMs : undefined;
  }

  /** The journal has been replayed; nothing has been told the time yet. */
  begin(): void {
    const { clock, tell, trust, logger, analysis } = this.#parts;
    this.#setBackMs = analysis.setBackMs;
    const goneOn = this.#goneOn();
    // Who has set it back while the box was running knew what he did.
    const isFree = trust.sync === 'ignore' || goneOn !== undefined;
    if (!isFree) this.#earliest = Math.max(RELEASED, analysis.knownTime - TOLERANCE_MS);
    this.#begun = true;
    if (isKnown(this.#state())) {
      this.#isKnown = true;
      // It may have been set since the process began.
      clock.set(clock.systemNow());
      this.#beginKnown(goneOn);
      return;
    }
    clock.set(this.#estimate());
    clock.isEstimate = true;
    tell({ type: 'clock-unknown', ...this.#reference() });
    this.#listen(clock.now());
    logger.info({ estimate: isoTime(clock.now()) }, `the time is not known yet: ${this.#detail()}`);
  }

  /** The only place where the steady clock is set: call it about once a second. */
  tick(): void {
    if (!this.#begun) return;
    const { clock } = this.#parts;
    if (!this.#isKnown) {
      if (isKnown(this.#state())) this.#know();
      else this.#giveUpInTime();
      return;
    }
    const systemNow = clock.systemNow();
    const differenceMs = systemNow - clock.now();
    // Somebody has unset it: the steady clock knows better.
    if (systemNow < RELEASED || Math.abs(differenceMs) <= RESOLUTION_MS) return;
    if (Math.abs(differenceMs) <= SLEW_MS) clock.set(systemNow);
    else this.#step(clock.now(), systemNow);
  }

  /** Asks the box again and again until `signal` aborts. */
  async keepAsking(signal: AbortSignal): Promise<void> {
    const { clock, trust, logger } = this.#parts;
    if (trust.sync === 'ignore') return;
    while (!signal.aborted) {
      try {
        await withTimeLimit({ ms: ASK_LIMIT_MS, clock, signal }, async (limited) => {
          const answer = await trust.ask(limited);
          // What was broken off has told nothing.
          if (!limited.aborted) this.#answer = answer;
        });
        this.tick();
      } catch (error) {
        logger.error({ error: messageOf(error) }, 'cannot ask whether the clock is synchronised');
      }
      await clock.sleep(this.#isKnown ? ASK_AGAIN_KNOWN_MS : ASK_AGAIN_MS, signal);
    }
  }

  status(): ClockStatus {
    const { provisional } = this.#parts.analysis;
    return {
      state: this.#state(),
      detail: this.#detail(),
      source: this.#answer?.source ?? 'not answered yet',
      steppedTotal: this.#steppedTotal,
      lastStepMs: this.#lastStepMs,
      provisionalReadings: provisional.count,
      markedTotal: provisional.markedTotal,
    };
  }

  #state(): ClockState {
    const { clock, trust } = this.#parts;
    const answered = this.#answer?.state;
    if (clock.systemNow() < RELEASED) return 'unset';
    if (answered === 'synchronised') return 'synchronised';
    if (this.#isKnown) return 'believed';
    if (clock.systemNow() < this.#earliest) return 'unset';
    if (trust.sync === 'required') return 'waiting';
    return answered === 'unknown' || this.#waitIsOver ? 'believed' : 'waiting';
  }

  get #waitIsOver(): boolean {
    const { clock, trust } = this.#parts;
    return clock.monotonicMs() - this.#createdMs >= trust.syncWaitMs;
  }

  /** Not before any time that was told, and where an earlier process of this boot has begun an estimate, that goes on. */
  #estimate(): EpochMs {
    const { clock, analysis, trust } = this.#parts;
    const { lastReference } = analysis.provisional;
    const goneOn = lastReference?.boot === trust.boot ? timeAt(clock.monotonicMs(), lastReference) : 0;
    return Math.max(clock.systemNow(), analysis.receiveTime, RELEASED, goneOn);
  }

  /** What an earlier process of this boot would say now; undefined where none knew the time. */
  #goneOn(): EpochMs | undefined {
    const { clock, analysis, trust } = this.#parts;
    const { reference } = analysis;
    return reference?.boot === trust.boot ? Math.floor(timeAt(clock.monotonicMs(), reference)) : undefined;
  }

  /**
   * An earlier process may have got further, by a clock that was ahead, may have seen that it was set since, or may have left what waits
   * for the time.
   */
  #beginKnown(goneOn: EpochMs | undefined): void {
    const { clock, analysis } = this.#parts;
    const { receiveTime } = analysis;
    const now = clock.now();
    if (!analysis.provisional.isTimeKnown) this.#tellKnown(receiveTime);
    else if (goneOn !== undefined && Math.abs(now - goneOn) > TOLERANCE_MS) {
      // Up to the step time passes, as it did while nobody listened.
      this.#listen(goneOn);
      this.#step(goneOn, now);
      return;
    } else if (now < receiveTime - TOLERANCE_MS) this.#step(receiveTime, now);
    this.#listen(now);
  }

  /** Nothing was received before: who asks how long nothing has come is told so. */
  #listen(time: EpochMs): void {
    const { analysis, tell } = this.#parts;
    if (analysis.judgesSilence) tell({ type: 'listening-again', time });
  }

  #know(): void {
    const { clock, logger } = this.#parts;
    const before = clock.now();
    clock.set(clock.systemNow());
    clock.isEstimate = false;
    this.#isKnown = true;
    this.#earliest = RELEASED;
    this.#tellKnown(before);
    logger.info({ correctedByMs: clock.now() - before }, `the time is known: ${this.#detail()}`);
  }

  #tellKnown(before: EpochMs): void {
    const reference = this.#reference();
    this.#setBackMs = setBackAfter(this.#setBackMs, reference.time - before);
    this.#parts.tell({ type: 'clock-known', ...reference, before });
  }

  #giveUpInTime(): void {
    const { trust, tell, logger } = this.#parts;
    if (this.#givenUp || trust.sync === 'required' || !this.#waitIsOver) return;
    this.#givenUp = true;
    tell({ type: 'clock-given-up' });
    logger.warn({}, `readings without a time of their own are marked as uncertain: ${this.#detail()}`);
  }

  #step(before: EpochMs, after: EpochMs): void {
    const { clock, tell, logger } = this.#parts;
    const byMs = after - before;
    clock.set(after);
    this.#setBackMs = setBackAfter(this.#setBackMs, byMs);
    tell({ type: 'clock-step', ...this.#reference(), before, byMs });
    this.#steppedTotal++;
    this.#lastStepMs = byMs;
    logger.warn({ byMs, before: isoTime(before), after: isoTime(after) }, 'the clock was set');
  }

  /** This moment by both clocks; undefined while the time is not known. */
  reference(): ClockReference | undefined {
    return this.#isKnown ? this.#reference() : undefined;
  }

  #reference(): ClockReference {
    const { clock, trust } = this.#parts;
    return { boot: trust.boot, monotonicMs: clock.monotonicMs(), time: clock.now() };
  }

  #detail(): string {
    const { clock, trust } = this.#parts;
    const says = `the clock says ${isoTime(clock.systemNow())}`;
    switch (this.#state()) {
      case 'synchronised':
        return `${this.#answer?.source} says that the clock is synchronised`;
      case 'believed':
        return this.#answer?.state === 'unsynchronised'
          ? `${this.#answer.source} says that the clock is not synchronised; it is believed all the same`
          : 'nobody says whether the clock is synchronised; it is believed';
      case 'waiting':
        return trust.sync === 'required'
          ? `${says}, and is not synchronised, which time.sync requires; a time service has to be set up on this box, or time.sync to be auto`
          : `${says}, and is being synchronised; at most ${Math.round(trust.syncWaitMs / 1000)} s are waited for that`;
      case 'unset':
        return this.#isKnown
          ? `${says}, which cannot be: the gateway goes on by its own clock; set that of the box`
          : `${says}, which is before ${isoTime(this.#earliest)}, a time that was known before; set it, or let a time service do so (time.sync: ignore believes it)`;
    }
  }
}

function isKnown(state: ClockState): boolean {
  return state === 'synchronised' || state === 'believed';
}
