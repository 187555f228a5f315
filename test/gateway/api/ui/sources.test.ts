import { expect, test } from 'vitest';
import { outlook } from '../../../../gateway/api/ui/sources.ts';

const NOTHING = { records: 0, items: 0, bytes: 0, oldestAgeMs: null, drainSeconds: 0, fullInSeconds: null };

test.each([
  [{}, ''],
  [{ items: 5, drainSeconds: null }, ''],
  [{ items: 5, drainSeconds: 90 }, 'Drained in about 1 min 30 s.'],
  [{ items: 5, drainSeconds: null, fullInSeconds: 10_800 }, 'Its buffer is full in about 3 h 0 min at this rate.'],
  [{ items: 5, drainSeconds: null, fullInSeconds: 0 }, 'No room is left: storage.outbox.whenFull says what gives way.'],
])('a backlog of %j is foretold in words', (change, words) => {
  expect(outlook({ ...NOTHING, ...change })).toBe(words);
});
