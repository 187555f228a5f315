import { expect } from 'vitest';
import { distinctReadings, expectedAlarms } from './expected.ts';
import { expectNone, type Outcome } from './oracle.ts';
import type { SimStore } from './sim-store.ts';
import type { Message } from './workload.ts';

/**
 * Every step of every alarm is stored, what a person has acknowledged too, and no other. Where a power cut left a gap in what nobody was promised,
 * readings come again behind later ones that were kept: alarms from there on are those of another order.
 */
export function verifyAlarms(name: string, store: SimStore, outcome: Outcome): void {
  const { messages, operator, status } = outcome;
  const hasGap = status.journal.damagedItems > 0;
  const expected = expectedAlarms(distinctReadings(messages)).filter(({ id }) => !hasGap || isInOrder(id, messages));
  const must = new Set<string>();
  const may = new Set<string>();
  for (const { id, clearedBy } of expected) {
    must.add(`${id}@raised`);
    if (clearedBy !== undefined) must.add(`${id}@cleared`);
    if (operator.asked.has(id)) may.add(`${id}@acknowledged`);
    if (operator.answered.has(id)) must.add(`${id}@acknowledged`);
  }
  const isComplete = !hasGap && status.alarmOutbox.droppedItems === 0 && store.refused.size === 0;
  if (isComplete) {
    verifyFloods(name, store);
    verifyShelving(name, store, outcome);
  }
  const stored = [...store.stored.keys()].filter((key) => key.startsWith('range@') && !/@(un)?shelved@/.test(key));
  const known = stored.filter((key) => !hasGap || isInOrder(key, messages));
  const phantoms = known.filter((key) => !must.has(key) && !may.has(key));
  expect(phantoms, `${name}: alarms of nothing`).toEqual([]);
  const missing = [...must].filter((key) => !store.stored.has(key));
  // On a full disk the log of alarms gives up its oldest, and counts them.
  expectNone(missing, status.alarmOutbox.droppedItems, `${name}: missing alarms`);
}

/**
 * Each flood is over before the next one, however often their beginnings were replayed, and what is marked for one is below critical. When they come depends on when
 * readings arrived, which nobody outside knows.
 */
function verifyFloods(name: string, { stored }: SimStore): void {
  const alarms = [...stored.values()].filter((result) => result.kind === 'alarm');
  const steps = alarms.filter(
    ({ detector, state }) => detector === 'flood' && (state === 'raised' || state === 'cleared'),
  );
  const told = [...Map.groupBy(steps, ({ id }) => id).values()].map((flood) => flood.map(({ state }) => state).sort());
  // By the clock, which may be set between the two, one may be over before it began.
  const last = told.filter((states) => !states.includes('cleared'));
  expect(last.length, `${name}: floods that last`).toBeLessThanOrEqual(1);
  const over = told.filter((states) => !last.includes(states));
  expect(over, `${name}: floods`).toEqual(over.map(() => ['cleared', 'raised']));
  const marked = alarms.filter(({ suppressed }) => suppressed === 'flood');
  if (marked.length > 0) expect(steps.length, `${name}: marked for a flood that never was`).toBeGreaterThan(0);
}

/**
 * What the gateway said was shelved is, and comes back once, at the time that was set, whatever crashed between; only that is marked. A clock that
 * was set moves the time.
 */
function verifyShelving(name: string, { stored }: SimStore, { operator, status }: Outcome): void {
  const alarms = [...stored.values()].filter((result) => result.kind === 'alarm');
  const shelved = alarms.filter(({ state }) => state === 'shelved');
  const missing = [...operator.shelved].filter((id) => !shelved.some((step) => step.id === id));
  expect(missing, `${name}: told to be shelved`).toEqual([]);
  const unshelved = alarms.filter(({ state }) => state === 'unshelved');
  expect(unshelved.length, `${name}: unshelved`).toBeLessThanOrEqual(shelved.length);
  const conditions = new Set(shelved.map(conditionOf));
  const back = new Set([...status.alarms.shelved, ...unshelved].map(conditionOf));
  const forgotten = [...conditions].filter((condition) => !back.has(condition));
  expect(forgotten, `${name}: shelved, and never back`).toEqual([]);
  const marked = alarms.filter(({ suppressed }) => suppressed === 'shelved');
  const others = marked.filter((step) => !conditions.has(conditionOf(step)));
  expect(others, `${name}: marked, and never shelved`).toEqual([]);
}

/** An alarm without its time: of series judged together it is not one of them. */
function conditionOf({ id }: { readonly id: string }): string {
  return id.slice(0, id.lastIndexOf('@'));
}

/** Whether an alarm was raised before any reading of its device was sent again. */
function isInOrder(key: string, messages: readonly Message[]): boolean {
  const [, device, time] = /^range@(.+)\/load@([\d.]+)/.exec(key)!;
  return messages.every(
    ({ reading, sends }) => sends < 2 || reading?.device !== device || reading!.time > Number(time),
  );
}
