import { expect } from 'vitest';
import type { Rejected } from '../../gateway/core/intake.ts';
import type { GatewayStatus, LedgerReport } from '../../gateway/core/view.ts';
import { RELEASED } from '../../gateway/runtime/clock-keeper.ts';
import { imbalance } from '../../gateway/runtime/ledger.ts';
import type { Climate } from './climate.ts';
import { distinctReadings } from './expected.ts';
import type { Losses } from './losses.ts';
import { verifyAlarms } from './oracle-alarms.ts';
import { verifyDamaged } from './oracle-damaged.ts';
import { verifyUntimed } from './oracle-untimed.ts';
import { verifyWindows } from './oracle-windows.ts';
import type { SimDamage } from './sim-damage.ts';
import type { SimOperator } from './sim-operator.ts';
import type { SimStore } from './sim-store.ts';
import type { TornWrites } from './torn-writes.ts';
import type { Message } from './workload.ts';

/** At any moment: nothing may have disappeared uncounted. */
export function verifyBalance(status: GatewayStatus): void {
  for (const { name, ledger } of status.sources) expect(imbalance(ledger), `imbalance of ${name}`).toBe(0);
  for (const { name, ledger } of status.sinks) expect(ledger.imbalance, `imbalance of ${name}`).toBe(0);
}

/** Where everything has ended, once nothing is on its way any more. */
export interface Outcome {
  readonly climate: Climate;
  readonly messages: readonly Message[];
  /** Devices whose readings have no time of their own, and whether their sessions last: only then QoS 2 knows a message again. */
  readonly untimedDevices: ReadonlyMap<string, { readonly sessionLasts: boolean }>;
  readonly stores: Readonly<Record<string, SimStore>>;
  readonly operator: SimOperator;
  readonly status: GatewayStatus;
  readonly ledger: LedgerReport;
  readonly deadLetters: readonly Rejected[];
  /** Dead letters that a full disk has cost; their log gives up the oldest. */
  readonly droppedLetters: number;
  readonly damage: SimDamage;
  readonly losses: Losses;
  readonly tornWrites: TornWrites;
}

/** What was acknowledged is stored, once and right, and nothing else is. */
export function verifyOutcome(outcome: Outcome): void {
  expect(promisedOf(outcome).filter(({ acknowledgedAt }) => acknowledgedAt === undefined)).toEqual([]);
  if (outcome.climate.isDamaged) {
    verifyDamaged(outcome);
    return;
  }
  verifyTimes(outcome);
  for (const [name, store] of Object.entries(outcome.stores)) {
    verifyWindows(name, store, outcome);
    verifyUntimed(name, store, outcome);
    verifyAlarms(name, store, outcome);
    verifyRefused(name, store, outcome);
  }
  verifyLedger(outcome);
  verifySinks(outcome);
  verifyUnreadable(outcome);
  verifyLogs(outcome);
}

/** With QoS 0 nothing is promised. */
export function promisedOf({ messages }: Outcome): readonly Message[] {
  return messages.filter(({ qos }) => qos > 0);
}

/** No result tells of a time before this release was made, whatever the box believed. */
export function verifyTimes({ stores }: Outcome): void {
  for (const store of Object.values(stores)) {
    const impossible = [...store.stored.values()].filter(
      (result) => (result.kind === 'alarm' ? result.time : result.start) < RELEASED,
    );
    expect(impossible).toEqual([]);
  }
}

/** What a sink has refused for ever is told with its reason. */
function verifyRefused(name: string, { refused }: SimStore, outcome: Outcome): void {
  const { deadLetters, droppedLetters } = outcome;
  const told = new Set(
    deadLetters.filter(({ origin }) => origin === name).map(({ subject }) => subject.replace(/@\d+$/, '')),
  );
  const untold = [...refused].filter((key) => !told.has(key));
  // Where the answer was lost, a full outbox may have dropped it since.
  expectNone(untold, droppedLetters + droppedBefore(name, outcome), `${name}: refused and not set aside`);
}

function verifyLedger(outcome: Outcome): void {
  const { climate, messages, status, droppedLetters, losses, tornWrites } = outcome;
  verifyBalance(status);
  const { inFlight, aggregated, filtered, late, dropped, rejected } = status.ledger;
  expect(inFlight).toBe(0);
  // Windows that wait for six hours miss nothing; others may.
  if (!climate.hasOperators) expect(late).toBe(0);
  expect(dropped).toBeLessThanOrEqual(tornWrites.itemsOf('journal'));
  const untimed = messages.filter((message) => message.untimed !== undefined);
  const promised = distinctReadings(promisedOf(outcome)).length + untimed.length;
  const fleeting = messages.filter(({ qos, sends }) => qos === 0 && sends > 0).length;
  // What has its time from the gateway is known again by QoS 2 alone.
  const stamped = messages.filter(({ untimed, reading }) => untimed !== undefined || reading?.metric === 'ahead');
  const again = stamped.reduce((sum, { sends }) => sum + Math.max(0, sends - 1), 0);
  expect(aggregated + filtered + late).toBeGreaterThanOrEqual(promised);
  if (!losses.mayCountTwice) expect(aggregated + filtered + late).toBeLessThanOrEqual(promised + fleeting + again);
  const unreadable = messages.filter(isUnreadable).length;
  expect(rejected).toBeGreaterThanOrEqual(unreadable - droppedLetters);
}

/** Every result that was ever made has an end for each sink, and only a full outbox may have cost one. */
function verifySinks({ climate, status, tornWrites }: Outcome): void {
  const { outbox, alarmOutbox } = status;
  const made = outbox.appendedItems + alarmOutbox.appendedItems;
  const torn = tornWrites.itemsOf('outbox') + tornWrites.itemsOf('alarmOutbox');
  const mostDropped = outbox.droppedItems + alarmOutbox.droppedItems + torn;
  for (const { name, ledger, backlog } of status.sinks) {
    expect(ledger.pending, `pending before ${name}`).toBe(0);
    expect(backlog.records, `backlog of ${name}`).toBe(0);
    expect(ledger.received, `received for ${name}`).toBe(made);
    expect(ledger.dropped, `dropped before ${name}`).toBeLessThanOrEqual(mostDropped);
  }
  if (climate.whenFull === 'block') expect(outbox.droppedItems).toBe(0);
}

export function verifyUnreadable(outcome: Outcome): void {
  const { deadLetters, droppedLetters } = outcome;
  const kept = new Set(deadLetters.map(({ payload }) => Buffer.from(payload).toString()));
  const missing = promisedOf(outcome)
    .filter(isUnreadable)
    .map(({ payload }) => payload)
    .filter((payload) => !kept.has(payload));
  // Of a flood of one kind between two syncs only the first are kept, and the rest is counted with them.
  const countedOnly = deadLetters.reduce((sum, { times = 1 }) => sum + times - 1, 0);
  expectNone(missing, droppedLetters + countedOnly, 'missing dead letters');
}

function verifyLogs({ status, tornWrites }: Outcome): void {
  expect(status.journal.droppedItems).toBe(0);
  for (const name of ['journal', 'outbox', 'alarmOutbox'] as const) {
    expect(status[name].damagedItems, name).toBeLessThanOrEqual(tornWrites.itemsOf(name));
  }
}

function isUnreadable({ reading, untimed }: Message): boolean {
  return reading === undefined && untimed === undefined;
}

/** Results that a sink never took, by the count of the gateway. */
export function droppedBefore(sink: string, { status }: Outcome): number {
  return status.sinks.find(({ name }) => name === sink)!.ledger.dropped;
}

/** None is missing, but for as many as were counted as dropped. */
export function expectNone(missing: readonly string[], dropped: number, what: string): void {
  if (dropped === 0) expect(missing, what).toEqual([]);
  else expect(missing.length, what).toBeLessThanOrEqual(dropped);
}
