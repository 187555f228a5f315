import { expect, test } from 'vitest';
import { Admission, type AdmissionParts } from '../../../gateway/runtime/admission.ts';
import { settle } from '../../manual-clock.ts';
import { MemoryLog } from '../../memory-log.ts';
import { type Box, bootedBox, START } from './box.ts';

/** The disk answers the first commit of the dead letters when the test says so, and no further one before the process dies. */
function holdLetters({ deadLetters }: Box): () => void {
  const commit = deadLetters.commit.bind(deadLetters);
  const first = Promise.withResolvers<void>();
  let commits = 0;
  deadLetters.commit = async () => {
    if (++commits > 1) return new Promise(() => undefined);
    await commit();
    await first.promise;
  };
  return first.resolve;
}

/** A message of QoS 2 comes in while the refusals of an earlier one are being synced, and is refused too. */
async function refuseWhileSyncing(box: Box): Promise<() => void> {
  await box.clock.advance(1_100);
  await settle();
  const answer = holdLetters(box);
  box.intake.reject('a', 'bad', Buffer.from('1'));
  await settle();
  box.intake.marks.set('device', 7, 1);
  box.intake.reject('b', 'bad', Buffer.from('2'));
  box.intake.acknowledge(() => undefined);
  return answer;
}

/** The sender sends again what is not known to be admitted; else its refusal must be counted. */
function expectNothingForgotten({ gateway, intake }: Box): void {
  const isAdmitted = intake.marks.get('device', 7) === 1;
  expect(isAdmitted ? gateway.status().ledger.rejected : 2).toBe(2);
}

test('a mark is not durable before what its message had refused, also where the clock is set meanwhile', async () => {
  const box = await bootedBox();
  const answer = await refuseWhileSyncing(box);
  box.clock.jump(3_600_000);
  await box.clock.advance(1_100);
  answer();
  await settle();
  await box.crash();
  expectNothingForgotten(box);
  await box.stop();
});

test('nor where somebody else has the journal synced meanwhile', async () => {
  const box = await bootedBox();
  await refuseWhileSyncing(box);
  box.clock.jump(3_600_000);
  await box.clock.advance(1_100);
  await box.journal.sync();
  await box.crash();
  expectNothingForgotten(box);
  await box.stop();
});

test('readings and commands are in the journal in the order in which they came, with the bytes they had', async () => {
  const box = await bootedBox();
  await box.clock.advance(1_100);
  await settle();
  const answer = holdLetters(box);
  box.intake.reject('a', 'bad', Buffer.from('1'));
  await settle();
  const before = box.journal.records.length;
  box.send({ metric: 'a', value: 1, time: START + 600_000 });
  box.clock.jump(3_600_000);
  await box.clock.advance(1_100);
  box.send({ metric: 'b', value: 2, time: START + 600_000 });
  expect(box.journal.records).toHaveLength(before);
  answer();
  await box.acknowledged();
  const kinds = box.journal.records.slice(before).map(({ payload, items }) => [payload[0], items]);
  expect(kinds).toEqual([
    [1, 1],
    [2, 0],
    [1, 1],
  ]);
  await box.crash();
  expect(box.gateway.status().ledger).toMatchObject({ received: 3, rejected: 1 });
  expect(box.intake.series({ device: 'd', metric: 'b' })).toMatchObject({ key: 'd/b' });
  await box.stop();
});

test('a journal that is stopped while admission waits for something else is told as a failure once, and leaves no rejection unhandled', async () => {
  const journal = new MemoryLog();
  await journal.stop();
  const wait = Promise.withResolvers<void>();
  const failures: unknown[] = [];
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', note);
  const parts: Partial<AdmissionParts> = {
    journal,
    backPressure: () => wait.promise,
    failed: (error) => failures.push(error),
  };
  const admission = new Admission(parts as AdmissionParts);
  admission.enter({ type: 'time-passed', time: 1 });
  await settle();
  expect(failures).toEqual([]);
  wait.resolve();
  await settle();
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
  expect(failures).toEqual([new Error('cannot append: the log is not running')]);
  expect(admission.isIdle).toBe(true);
});
