import { expect } from 'vitest';
import { distinctReadings, expectedWindows, WINDOWS } from './expected.ts';
import { type Outcome, verifyBalance, verifyTimes, verifyUnreadable } from './oracle.ts';
import { verifyAlarms } from './oracle-alarms.ts';
import { windowProblems } from './oracle-windows.ts';
import type { SimStore } from './sim-store.ts';
import { isPlainKey } from './workload.ts';

/**
 * Where files were damaged between two lives: it has started, makes nothing up, has lost no more than the damage touched, and has told how
 * much. What was not touched is stored as it must be.
 */
export function verifyDamaged(outcome: Outcome): void {
  const { damage, losses, status } = outcome;
  // A redelivery is recognised by what the journal still holds.
  losses.mayCountTwice ||= damage.hasHarmed('journal');
  verifyTimes(outcome);
  verifyBalance(status);
  for (const { name, ledger, backlog } of status.sinks) {
    expect({ pending: ledger.pending, backlog: backlog.records }, name).toEqual({ pending: 0, backlog: 0 });
  }
  expect(status.ledger.inFlight).toBe(0);
  for (const [name, store] of Object.entries(outcome.stores)) verifyStore(name, store, outcome);
  if (!damage.hasHarmed('dead-letters')) verifyUnreadable(outcome);
}

function verifyStore(name: string, store: SimStore, outcome: Outcome): void {
  const { damage, losses, messages, tornWrites } = outcome;
  const sent = messages.filter(({ sends }) => sends > 0);
  const expected = expectedWindows(distinctReadings(sent));
  const phantoms = [...store.newest.keys()].filter((key) => isPlainKey(key) && !expected.has(key));
  expect(phantoms, `${name}: windows of nothing`).toEqual([]);
  // With both checkpoints, what only they knew is lost; the gateway says so.
  if (losses.hasLostState) return;
  const touched = damage.touchedItems('journal') + damage.touchedItems('outbox');
  const isCounted = !damage.mayNotKnow('journal') && !damage.mayNotKnow('outbox');
  const wrong = windowProblems(store, outcome).map(({ problem }) => problem);
  // A reading is in one window of each name.
  for (const window of WINDOWS) {
    const problems = wrong.filter((problem) => problem.includes(`@${window.name}@`));
    expectAtMost(touched, problems, `${name}: wrong windows, more than were touched`);
    if (!isCounted) continue;
    const counted = losses.readings + losses.resultsOf(name);
    expectAtMost(counted, problems, `${name}: wrong windows, more than were counted`);
  }
  if (isCounted) {
    expect(losses.readings, 'readings counted as lost').toBeLessThanOrEqual(
      damage.touchedItems('journal') + tornWrites.itemsOf('journal'),
    );
  }
  if (!damage.mayNotKnow('alarms') && !damage.mayNotKnow('outbox')) {
    const touchedResults = damage.touchedItems('alarms') + damage.touchedItems('outbox');
    // On a full disk the log of alarms gives up its oldest.
    const torn = tornWrites.itemsOf('alarmOutbox') + tornWrites.itemsOf('outbox');
    const most = touchedResults + outcome.status.alarmOutbox.droppedItems + torn;
    expect(losses.resultsOf(name), `results counted as lost before ${name}`).toBeLessThanOrEqual(most);
  }
  if (!damage.hasHarmed('journal') && !damage.hasHarmed('alarms')) verifyAlarms(name, store, outcome);
}

function expectAtMost(most: number, problems: readonly string[], what: string): void {
  if (problems.length > most) expect(problems, `${what}: ${problems.length} for ${most}`).toEqual([]);
}
