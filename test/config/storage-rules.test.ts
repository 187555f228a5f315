import { expect, test } from 'vitest';
import { briefly, configurationOf, problemsOf } from './load-text.ts';

test('every log has room for the largest record there can be', () => {
  const text = 'storage:\n  journal: { maxBytes: 15 MiB }\n  outbox: { maxBytes: 1 MiB }\n  alarms: { maxBytes: 0 }\n';
  expect(briefly(problemsOf(text))).toEqual([
    expect.stringMatching(/^2:\d+ storage.journal.maxBytes: must be at least 16 MiB, .*: got 15728640 bytes$/),
    expect.stringMatching(/^3:\d+ storage.outbox.maxBytes: must be at least 4 MiB, .*: got 1048576 bytes$/),
    expect.stringMatching(/^4:\d+ storage.alarms.maxBytes: must be at least 4 MiB, .*: got 0 bytes$/),
  ]);
  const { storage } = configurationOf(
    'storage: { journal: { maxBytes: 16 MiB }, outbox: { maxBytes: 4 MiB }, alarms: { maxBytes: 4 MiB } }',
  );
  expect(storage.journal.maxBytes).toBe(16 * 2 ** 20);
});

test('the journal has room for what is remembered', () => {
  const problems = problemsOf('storage: { journal: { maxBytes: 16 MiB }, rememberedReadings: 65537 }');
  expect(briefly(problems)).toEqual([
    expect.stringMatching(
      /^1:\d+ storage.rememberedReadings: a restart reads what is remembered from the journal, and one of 16 MiB holds 65536 beside what is new: got 65537$/,
    ),
  ]);
  expect(problems[0]?.hint).toBe('at most 65536, or a storage.journal.maxBytes of 17 MiB');
  expect(configurationOf('storage: { rememberedReadings: 1000000 }').storage.rememberedReadings).toBe(1_000_000);
});
