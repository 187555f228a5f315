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
    const answeredAt = operator.answered.get(id);
    // Nobody can acknowledge what is over already.
    const clearSentAt = messages.find(({ reading }) => reading === clearedBy)?.sentAt;
    if (answeredAt === undefined) continue;
    if (clearedBy === undefined || clearSentAt! > answeredAt) must.add(`${id}@acknowledged`);
  }
  const stored = [...store.stored.keys()].filter((key) => key.startsWith('range@'));
  const known = stored.filter((key) => !hasGap || isInOrder(key, messages));
  const phantoms = known.filter((key) => !must.has(key) && !may.has(key));
  expect(phantoms, `${name}: alarms of nothing`).toEqual([]);
  const missing = [...must].filter((key) => !store.stored.has(key));
  // On a full disk the log of alarms gives up its oldest, and counts them.
  expectNone(missing, status.alarmOutbox.droppedItems, `${name}: missing alarms`);
}

/** Whether an alarm was raised before any reading of its device was sent again. */
function isInOrder(key: string, messages: readonly Message[]): boolean {
  const [, device, time] = /^range@(.+)\/load@([\d.]+)/.exec(key)!;
  return messages.every(
    ({ reading, sends }) => sends < 2 || reading?.device !== device || reading!.time > Number(time),
  );
}
