import { describe, expect, test } from 'vitest';
import { SteadyClock } from '../../../gateway/base/steady-clock.ts';
import type { TimeServiceAnswer } from '../../../gateway/base/time-service.ts';
import { ClockKeeper, type ClockTrust, RELEASED } from '../../../gateway/runtime/clock-keeper.ts';
import type { ClockReference, TimeCommand } from '../../../gateway/runtime/command.ts';
import { ProvisionalReadings } from '../../../gateway/runtime/provisional-readings.ts';
import { ManualClock, settle } from '../../manual-clock.ts';
import { recordingLogger } from '../../recording-logger.ts';

const NOW = Date.UTC(2026, 5, 1);
const UNSYNCHRONISED: TimeServiceAnswer = { state: 'unsynchronised', source: 'chronyc' };
const SYNCHRONISED: TimeServiceAnswer = { state: 'synchronised', source: 'chronyc' };
const UNKNOWN: TimeServiceAnswer = { state: 'unknown', source: 'nothing on this box tells' };

interface Start {
  readonly systemNow?: number;
  /** The newest time that an earlier process knew. */
  readonly knownTime?: number;
  /** A moment at which it knew the time. */
  readonly reference?: ClockReference;
  readonly trust?: Partial<ClockTrust>;
  readonly judgesSilence?: boolean;
}

/** A keeper that has begun, and all that it has told. */
class Kept {
  readonly system: ManualClock;
  readonly clock: SteadyClock;
  readonly keeper: ClockKeeper;
  readonly told: TimeCommand[] = [];
  answer: TimeServiceAnswer = UNKNOWN;
  asked = 0;
  readonly #stopping = new AbortController();

  constructor({ systemNow = NOW, knownTime = 0, reference, trust = {}, judgesSilence = false }: Start = {}) {
    this.system = new ManualClock(systemNow, 1_000);
    this.clock = new SteadyClock(this.system);
    const analysis = {
      provisional: new ProvisionalReadings(),
      receiveTime: knownTime,
      knownTime,
      setBackMs: 0,
      reference,
      judgesSilence,
    };
    this.keeper = new ClockKeeper({
      clock: this.clock,
      trust: { sync: 'auto', syncWaitMs: 120_000, boot: 'b', ask: () => this.#ask(), ...trust },
      logger: recordingLogger(),
      tell: (command) => {
        this.told.push(command);
        if (command.type === 'clock-unknown') analysis.provisional.doubt(command, knownTime);
      },
      analysis,
    });
  }

  async begin(answer = UNKNOWN): Promise<this> {
    this.answer = answer;
    void this.keeper.keepAsking(this.#stopping.signal);
    await settle();
    this.keeper.begin();
    return this;
  }

  end(): void {
    this.#stopping.abort();
  }

  async #ask(): Promise<TimeServiceAnswer> {
    this.asked++;
    return this.answer;
  }
}

describe('what is believed', () => {
  test.each<{ what: string; start: Start; answer: TimeServiceAnswer; state: string; detail: RegExp }>([
    { what: 'nobody tells', start: {}, answer: UNKNOWN, state: 'believed', detail: /^nobody says whether/ },
    { what: 'a service has set it', start: {}, answer: SYNCHRONISED, state: 'synchronised', detail: /^chronyc says/ },
    {
      what: 'a service is at work',
      start: {},
      answer: UNSYNCHRONISED,
      state: 'waiting',
      detail: /at most 120 s are waited/,
    },
    {
      what: 'it is 1970',
      start: { systemNow: 5_000 },
      answer: UNKNOWN,
      state: 'unset',
      detail: /says 1970-.* before 2025-/,
    },
    {
      what: 'it is 1970, says a service',
      start: { systemNow: 5_000 },
      answer: SYNCHRONISED,
      state: 'unset',
      detail: /1970/,
    },
    {
      what: 'it was later before',
      start: { knownTime: NOW + 60_000 },
      answer: UNKNOWN,
      state: 'unset',
      detail: /known before/,
    },
    {
      what: 'it was a little later before',
      start: { knownTime: NOW + 500 },
      answer: UNKNOWN,
      state: 'believed',
      detail: /./,
    },
    {
      what: 'it was later before, says nobody',
      start: { knownTime: NOW + 60_000, trust: { sync: 'ignore' } },
      answer: UNKNOWN,
      state: 'believed',
      detail: /./,
    },
    {
      what: 'it was later before, and a service has set it',
      start: { knownTime: NOW + 60_000 },
      answer: SYNCHRONISED,
      state: 'synchronised',
      detail: /./,
    },
    {
      what: 'it has to be synchronised',
      start: { trust: { sync: 'required' } },
      answer: UNKNOWN,
      state: 'waiting',
      detail: /time.sync requires/,
    },
    {
      what: 'a service is at work, and is not waited for',
      start: { trust: { syncWaitMs: 0 } },
      answer: UNSYNCHRONISED,
      state: 'believed',
      detail: /believed all the same$/,
    },
  ])('$what: $state', async ({ start, answer, state, detail }) => {
    const kept = await new Kept(start).begin(answer);
    const status = kept.keeper.status();
    expect(status.state).toBe(state);
    expect(status.detail).toMatch(detail);
    expect(kept.keeper.isKnown).toBe(state === 'believed' || state === 'synchronised');
    expect(kept.clock.isEstimate).toBe(!kept.keeper.isKnown);
    expect(kept.clock.now()).toBeGreaterThanOrEqual(RELEASED);
    kept.end();
  });
});

test('a start with a clock that is known tells the journal nothing', async () => {
  const kept = await new Kept({ knownTime: NOW - 5_000 }).begin(SYNCHRONISED);
  expect(kept.told).toEqual([]);
  kept.end();
});

test('a clock that is set while the process starts is right from the beginning', async () => {
  const kept = new Kept({ systemNow: 20_000 });
  kept.system.jump(NOW - 20_000);
  await kept.begin();
  expect(kept.keeper.isKnown).toBe(true);
  expect(kept.clock.now()).toBe(NOW);
  expect(kept.told).toEqual([]);
  kept.end();
});

test('a clock that was ahead before the restart, and is right now, is told as a step', async () => {
  const kept = await new Kept({ knownTime: NOW + 60_000 }).begin(SYNCHRONISED);
  expect(kept.told).toEqual([
    { type: 'clock-step', boot: 'b', monotonicMs: 1_000, before: NOW + 60_000, time: NOW, byMs: -60_000 },
  ]);
  kept.end();
});

test.each([7_200_000, -7_200_000])(
  'a clock that was set by %s ms between two processes of one boot is believed, and told as a step',
  async (byMs) => {
    // Half a second after the moment that the other one knew.
    const reference = { boot: 'b', monotonicMs: 500, time: NOW - byMs - 500 };
    const kept = await new Kept({ knownTime: reference.time, reference }).begin();
    expect(kept.told).toEqual([
      { type: 'clock-step', boot: 'b', monotonicMs: 1_000, before: NOW - byMs, time: NOW, byMs },
    ]);
    expect(kept.keeper.status()).toMatchObject({ state: 'believed', steppedTotal: 1, lastStepMs: byMs });
    kept.end();
  },
);

test('time that passed between two processes of one boot is no step', async () => {
  const reference = { boot: 'b', monotonicMs: 400, time: NOW - 600 };
  const kept = await new Kept({ knownTime: reference.time, reference }).begin();
  expect(kept.told).toEqual([]);
  kept.end();
});

test('nothing is known of another boot: a clock that is behind is not believed', async () => {
  const reference = { boot: 'another', monotonicMs: 500, time: NOW + 60_000 };
  const kept = await new Kept({ knownTime: reference.time, reference }).begin();
  expect(kept.keeper.status().state).toBe('unset');
  kept.end();
});

test('the box is asked often until the time is known, and rarely afterwards', async () => {
  const kept = await new Kept({ trust: { syncWaitMs: 600_000 } }).begin(UNSYNCHRONISED);
  await kept.system.advance(100_000);
  expect(kept.asked).toBe(6);
  kept.answer = SYNCHRONISED;
  await kept.system.advance(20_000);
  expect(kept.keeper.status().state).toBe('synchronised');
  const asked = kept.asked;
  await kept.system.advance(1_200_000);
  expect(kept.asked).toBe(asked + 2);
  kept.end();
});

test('where nobody is to be asked, nobody is', async () => {
  const kept = await new Kept({ trust: { sync: 'ignore' } }).begin();
  await kept.system.advance(60_000);
  expect(kept.asked).toBe(0);
  kept.end();
});

test('a clock that drifts is followed without a step', async () => {
  const kept = await new Kept().begin();
  kept.system.driftPpm = 500;
  for (let second = 0; second < 600; second++) {
    await kept.system.advance(1_000);
    kept.keeper.tick();
    expect(Math.abs(kept.clock.now() - kept.system.now())).toBeLessThan(2);
  }
  expect(kept.told).toEqual([]);
  kept.end();
});

test('the future is judged by the latest present: a clock that was set back makes no present the future', async () => {
  const kept = await new Kept().begin();
  expect(kept.keeper.latest(NOW)).toBe(NOW);
  kept.system.jump(-7_200_000);
  kept.keeper.tick();
  expect(kept.keeper.latest(kept.clock.now())).toBe(NOW);
  kept.system.jump(3_600_000);
  kept.keeper.tick();
  expect(kept.keeper.latest(kept.clock.now())).toBe(NOW);
  kept.system.jump(7_200_000);
  kept.keeper.tick();
  expect(kept.keeper.latest(kept.clock.now())).toBe(kept.clock.now());
  kept.end();
});

test('nothing judges the future while the time is not known', async () => {
  const kept = await new Kept({ systemNow: 5_000 }).begin();
  expect(kept.keeper.latest(kept.clock.now())).toBeUndefined();
  kept.end();
});
