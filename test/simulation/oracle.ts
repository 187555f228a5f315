import { expect } from 'vitest';
import type { Rejected } from '../../gateway/core/intake.ts';
import type { Result } from '../../gateway/core/result.ts';
import type { GatewayStatus } from '../../gateway/core/view.ts';
import { imbalance } from '../../gateway/runtime/ledger.ts';
import { distinctReadings, type ExpectedWindow, expectedAlarms, expectedWindows } from './expected.ts';
import type { SimStore } from './sim-store.ts';
import type { Message } from './workload.ts';

/** At any moment: nothing may have disappeared uncounted. */
export function verifyBalance(status: GatewayStatus): void {
  for (const { name, ledger } of status.sources) expect(imbalance(ledger), `imbalance of ${name}`).toBe(0);
  for (const { name, ledger } of status.sinks) expect(ledger.imbalance, `imbalance of ${name}`).toBe(0);
}

/** Where everything has ended, once nothing is on its way any more. */
export interface Outcome {
  readonly messages: readonly Message[];
  readonly stores: Readonly<Record<string, SimStore>>;
  readonly status: GatewayStatus;
  readonly deadLetters: readonly Rejected[];
  /** Dead letters that a full disk has cost; their log gives up the oldest. */
  readonly droppedLetters: number;
  /** The journal was too small to remember all that was sent again. */
  readonly mayCountTwice: boolean;
}

/** What was acknowledged is stored, once and right, and nothing else is. */
export function verifyOutcome(outcome: Outcome): void {
  expect(promisedOf(outcome).filter(({ acknowledged }) => !acknowledged)).toEqual([]);
  for (const [name, store] of Object.entries(outcome.stores)) {
    verifyWindows(name, store, outcome);
    verifyAlarms(name, store, outcome);
    verifyRefused(name, store, outcome);
  }
  verifyLedger(outcome);
  verifyUnreadable(outcome);
  verifyLogs(outcome.status);
}

/** With QoS 0 nothing is promised. */
function promisedOf({ messages }: Outcome): readonly Message[] {
  return messages.filter(({ qos }) => qos > 0);
}

function verifyWindows(name: string, store: SimStore, { messages, mayCountTwice }: Outcome): void {
  const expected = expectedWindows(distinctReadings(messages.filter(({ sent }) => sent)));
  for (const [key, window] of expected) {
    if (store.isPoisonKey(key)) {
      expect(store.refused.has(key), `${name}: ${key} was refused`).toBe(true);
      continue;
    }
    for (const held of [store.stored.get(key), store.newest.get(key)]) {
      verifyWindow(`${name}: ${key}`, held, window, mayCountTwice);
    }
  }
  const phantoms = [...store.newest.keys()].filter((key) => !expected.has(key));
  expect(phantoms, `${name}: windows of nothing`).toEqual([]);
}

function verifyWindow(what: string, held: Result | undefined, window: ExpectedWindow, mayCountTwice: boolean): void {
  const fields = held?.kind === 'aggregate' ? held.fields : undefined;
  const { count, sum, ...bounds } = window;
  if (what.includes('/fleeting@')) {
    expect(fields?.['count'] ?? 0, what).toBeLessThanOrEqual(mayCountTwice ? count * 2 : count);
  } else if (mayCountTwice) {
    expect(fields, what).toMatchObject(bounds);
    expect(fields?.['count'], what).toBeGreaterThanOrEqual(count);
  } else {
    expect(fields, what).toEqual(window);
  }
}

function verifyAlarms(name: string, store: SimStore, { messages, status }: Outcome): void {
  const expected = expectedAlarms(distinctReadings(messages));
  const stored = [...store.stored].filter(([, result]) => result.kind === 'alarm').map(([key]) => key);
  const phantoms = stored.filter((key) => !expected.has(key));
  expect(phantoms, `${name}: alarms of nothing`).toEqual([]);
  const missing = [...expected].filter((key) => !store.stored.has(key));
  // On a full disk the log of alarms gives up its oldest, and counts them.
  expectNone(missing, status.alarmOutbox.droppedItems, `${name}: missing alarms`);
}

/** What a sink has refused for ever is told with its reason. */
function verifyRefused(name: string, { refused }: SimStore, { deadLetters, droppedLetters }: Outcome): void {
  const told = new Set(
    deadLetters.filter(({ origin }) => origin === name).map(({ subject }) => subject.replace(/@\d+$/, '')),
  );
  const untold = [...refused].filter((key) => !told.has(key));
  expectNone(untold, droppedLetters, `${name}: refused and not set aside`);
}

function verifyLedger(outcome: Outcome): void {
  const { messages, status, droppedLetters, mayCountTwice } = outcome;
  verifyBalance(status);
  const { inFlight, aggregated, filtered, late, dropped, rejected } = status.ledger;
  expect({ inFlight, late, dropped }).toEqual({ inFlight: 0, late: 0, dropped: 0 });
  const promised = distinctReadings(promisedOf(outcome)).length;
  const fleeting = messages.filter(({ qos, sent }) => qos === 0 && sent).length;
  expect(aggregated + filtered).toBeGreaterThanOrEqual(promised);
  if (!mayCountTwice) expect(aggregated + filtered).toBeLessThanOrEqual(promised + fleeting);
  const unreadable = messages.filter(({ reading }) => reading === undefined).length;
  expect(rejected).toBeGreaterThanOrEqual(unreadable - droppedLetters);
}

function verifyUnreadable(outcome: Outcome): void {
  const { deadLetters, droppedLetters } = outcome;
  const kept = new Set(deadLetters.map(({ payload }) => Buffer.from(payload).toString()));
  const unreadable = promisedOf(outcome).filter(({ reading }) => reading === undefined);
  const missing = unreadable.map(({ payload }) => payload).filter((payload) => !kept.has(payload));
  // Of a flood of one kind between two syncs only the first are kept, and the rest is counted with them.
  const countedOnly = deadLetters.reduce((sum, { times = 1 }) => sum + times - 1, 0);
  expectNone(missing, droppedLetters + countedOnly, 'missing dead letters');
}

function verifyLogs({ journal, outbox, sinks }: GatewayStatus): void {
  for (const { droppedItems, damagedItems } of [journal, outbox]) {
    expect({ droppedItems, damagedItems }).toEqual({ droppedItems: 0, damagedItems: 0 });
  }
  for (const { name, backlog } of sinks) expect(backlog.records, `backlog of ${name}`).toBe(0);
}

/** None is missing, but for as many as were counted as dropped. */
function expectNone(missing: readonly string[], dropped: number, what: string): void {
  if (dropped === 0) expect(missing, what).toEqual([]);
  else expect(missing.length, what).toBeLessThanOrEqual(dropped);
}
