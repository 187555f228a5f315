import { expect, test } from 'vitest';
import { OpenWindows, WindowDefinition } from '../../../gateway/pipeline/open-windows.ts';

function definition(allowedLatenessMs = 0, aggregates: readonly string[] = ['count']): WindowDefinition {
  return new WindowDefinition(
    { name: 'second', series: '*', window: { tumblingMs: 1000, allowedLatenessMs }, aggregates },
    0,
  );
}

const NEVER = Number.NEGATIVE_INFINITY;

test('a window is found by any time within it, in whatever order windows were opened', () => {
  const windows = new OpenWindows(definition());
  for (const time of [3000, 1000, 2000, 0]) windows.openAt(time, NEVER, NEVER);
  expect(windows.open.map(({ start }) => start)).toEqual([0, 1000, 2000, 3000]);
  expect(windows.find(1999.5)?.start).toBe(1000);
  expect(windows.find(0)?.start).toBe(0);
  expect(windows.find(4000)).toBeUndefined();
  expect(windows.find(-1)).toBeUndefined();
});

test('a window that closed is not found any more', () => {
  const windows = new OpenWindows(definition());
  windows.openAt(0, NEVER, NEVER);
  windows.openAt(1000, NEVER, NEVER);
  expect(windows.find(500)).toBeDefined();
  windows.close(1);
  expect(windows.find(500)).toBeUndefined();
  expect(windows.find(1500)).toBeDefined();
});

test('a window does not open when its end and the allowed lateness are reached', () => {
  const windows = new OpenWindows(definition(500));
  expect(windows.openAt(0, 1500, 1500)).toBeUndefined();
  expect(windows.openAt(0, 1500, 1499.9)?.passed).toBe(true);
});

test('a window whose end the watermark has just reached opens as passed', () => {
  expect(new OpenWindows(definition(500)).openAt(0, 1000, NEVER)?.passed).toBe(true);
  expect(new OpenWindows(definition(500)).openAt(0, 999, NEVER)?.passed).toBe(false);
});

test('what was closed early does not open again', () => {
  const windows = new OpenWindows(definition());
  windows.floor = 1000;
  expect(windows.openAt(999, NEVER, NEVER)).toBeUndefined();
  expect(windows.openAt(1000, NEVER, NEVER)).toBeDefined();
});

test('with no room left a window older than all does not open', () => {
  const windows = new OpenWindows(definition());
  const { maxOpen } = windows.definition;
  for (let i = 1; i <= maxOpen; i++) windows.openAt(i * 1000, NEVER, NEVER);
  expect(windows.openAt(0, NEVER, NEVER)).toBeUndefined();
  expect(windows.open).toHaveLength(maxOpen);
});

test('there is room for as many windows as disorder and lateness need', () => {
  expect(definition(3_600_000).maxOpen).toBe(3600 + 256);
});

test('the form tells definitions apart whose state differs', () => {
  expect(definition(0).form).toBe(definition(500).form);
  expect(definition(0).form).not.toBe(definition(0, ['count', 'max']).form);
});

test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('the lateness %s is refused', (lateness) => {
  expect(() => definition(lateness)).toThrow(`Cannot allow ${lateness} ms of lateness in window second`);
});
