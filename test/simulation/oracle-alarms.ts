import { expect } from 'vitest';
import { distinctReadings, expectedAlarms } from './expected.ts';
import { expectNone, type Outcome } from './oracle.ts';
import type { SimStore } from './sim-store.ts';

/** Every step of every alarm is stored, what a person has acknowledged too, and no other. */
export function verifyAlarms(name: string, store: SimStore, outcome: Outcome): void {
  const { messages, operator, status } = outcome;
  const expected = expectedAlarms(distinctReadings(messages));
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
  const stored = [...store.stored].filter(([, result]) => result.kind === 'alarm').map(([key]) => key);
  const phantoms = stored.filter((key) => !must.has(key) && !may.has(key));
  expect(phantoms, `${name}: alarms of nothing`).toEqual([]);
  const missing = [...must].filter((key) => !store.stored.has(key));
  // On a full disk the log of alarms gives up its oldest, and counts them.
  expectNone(missing, status.alarmOutbox.droppedItems, `${name}: missing alarms`);
}
