import { expect, test } from 'vitest';
import { Quality } from '../../../../gateway/core/quality.ts';
import { OpenSessions } from '../../../../gateway/pipeline/windows/open-sessions.ts';
import type { ReplacedWindow } from '../../../../gateway/pipeline/windows/open-windows.ts';
import { WindowDefinition } from '../../../../gateway/pipeline/windows/window-definition.ts';

const NEVER = Number.NEGATIVE_INFINITY;
const GAP = 1000;

function makeSessions(allowedLatenessMs = 0) {
  const window = { sessionGapMs: GAP, allowedLatenessMs };
  const sessions = new OpenSessions(new WindowDefinition({ name: 's', series: '*', window, aggregates: ['sum'] }, 0));
  const replaced: ReplacedWindow[] = [];
  const read = (time: number, watermark = NEVER, reached = watermark) => {
    const found =
      sessions.find(time) ?? sessions.openAt(time, watermark, reached, (window) => replaced.push({ ...window }));
    for (const session of found) session.accumulator.add(1, Quality.good, time);
    return found.length;
  };
  /** Gives the result of every session that is open. */
  const give = () => {
    for (const session of sessions.open) {
      session.revision++;
      session.isGiven = true;
    }
  };
  const open = () => sessions.open.map(({ start, end, accumulator }) => [start, end, accumulator.count]);
  return { sessions, read, give, open, replaced };
}

test('readings that follow each other within the gap are one session, which ends a gap after the last', () => {
  const { read, open } = makeSessions();
  for (const time of [0, 400, 1300, 5000]) read(time);
  expect(open()).toEqual([
    [0, 2300, 3],
    [5000, 6000, 1],
  ]);
});

test('a reading just at the end of a session belongs to it', () => {
  const { read, open } = makeSessions();
  for (const time of [0, 1000, 2000.5]) read(time);
  expect(open()).toEqual([
    [0, 2000, 2],
    [2000, 3000.5, 1],
  ]);
});

test('a reading between two sessions makes them one', () => {
  const { read, open, replaced } = makeSessions();
  for (const time of [0, 3000, 1600, 900, 2500]) read(time);
  expect(open()).toEqual([[0, 4000, 5]]);
  expect(replaced).toEqual([]);
});

test('an earlier reading moves the start of a session', () => {
  const { read, open } = makeSessions();
  for (const time of [5000, 4200]) read(time);
  expect(open()).toEqual([[4200, 6000, 2]]);
});

test('the result of a start that is none any more is taken back', () => {
  const { read, give, replaced, sessions } = makeSessions(10_000);
  for (const time of [1000, 4000]) read(time);
  give();
  read(500);
  expect(replaced).toEqual([{ start: 1000, end: 2000, revision: 1, isPartial: false }]);
  expect(sessions.open[0]).toMatchObject({ start: 500, revision: 0 });
  give();
  for (const time of [2000, 3000]) read(time);
  expect(replaced.slice(1)).toMatchObject([{ start: 4000, end: 5000, revision: 2 }]);
  expect(sessions.open).toMatchObject([{ start: 500, end: 5000, revision: 1 }]);
});

test('a reading is late when the session it would begin is over', () => {
  const { read } = makeSessions(500);
  expect(read(0, 1500)).toBe(0);
  expect(read(0, 1499)).toBe(1);
});

test('a late reading that reaches an open session belongs to it', () => {
  const { read, open } = makeSessions();
  read(3000, 3000);
  expect(read(2000, 3500)).toBe(1);
  expect(open()).toEqual([[2000, 4000, 2]]);
});

test('a session that the watermark has passed is not passed any more when it grows', () => {
  const { read, sessions } = makeSessions(10_000);
  read(0, NEVER);
  sessions.open[0]!.passed = true;
  read(900, 1500);
  expect(sessions.open).toMatchObject([{ end: 1900, passed: false }]);
});

test('a session that closed does not take readings again', () => {
  const { read, sessions, open } = makeSessions();
  read(0);
  sessions.close(1);
  expect(read(0)).toBe(0);
  expect(read(500)).toBe(1);
  expect(open()).toEqual([[500, 1500, 1]]);
});

test.each([0, -1, 0.5, Number.NaN])('a gap of %s ms is refused', (sessionGapMs) => {
  const window = { sessionGapMs, allowedLatenessMs: 0 };
  expect(() => new WindowDefinition({ name: 's', series: '*', window, aggregates: ['sum'] }, 0)).toThrow(
    `Cannot make sessions that end after ${sessionGapMs} ms without a reading`,
  );
});
