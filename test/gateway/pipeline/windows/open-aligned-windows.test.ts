import { expect, test } from 'vitest';
import { OpenAlignedWindows } from '../../../../gateway/pipeline/windows/open-aligned-windows.ts';
import { WindowDefinition } from '../../../../gateway/pipeline/windows/window-definition.ts';

function definition(allowedLatenessMs = 0, aggregates: readonly string[] = ['count']): WindowDefinition {
  return new WindowDefinition(
    { name: 'second', series: '*', window: { tumblingMs: 1000, allowedLatenessMs }, aggregates },
    0,
  );
}

function hopping(allowedLatenessMs = 0): WindowDefinition {
  const window = { hoppingMs: 3000, everyMs: 1000, allowedLatenessMs };
  return new WindowDefinition({ name: 'hops', series: '*', window, aggregates: ['count'] }, 0);
}

function openWindowsOf(one: WindowDefinition): OpenAlignedWindows {
  return new OpenAlignedWindows(one, one.assigner!);
}

const starts = (windows: readonly { readonly start: number }[] | undefined) => windows?.map(({ start }) => start);

const NEVER = Number.NEGATIVE_INFINITY;

test('a window is found by any time within it, in whatever order windows were opened', () => {
  const windows = openWindowsOf(definition());
  for (const time of [3000, 1000, 2000, 0]) windows.openAt(time, NEVER, NEVER);
  expect(windows.open.map(({ start }) => start)).toEqual([0, 1000, 2000, 3000]);
  expect(starts(windows.openAt(1999.5, NEVER, NEVER))).toEqual([1000]);
  expect(starts(windows.find(1000))).toEqual([1000]);
  expect(windows.find(2000)).toBeUndefined();
  expect(windows.open).toHaveLength(4);
});

test('a time is held by each of the windows that overlap there, and those are opened in their order', () => {
  const windows = openWindowsOf(hopping());
  expect(starts(windows.openAt(5500, NEVER, NEVER))).toEqual([5000, 4000, 3000]);
  expect(starts(windows.openAt(4500, NEVER, NEVER))).toEqual([4000, 3000, 2000]);
  expect(starts(windows.open)).toEqual([2000, 3000, 4000, 5000]);
  expect(starts(windows.find(4000))).toEqual([4000, 3000, 2000]);
});

test('of windows that overlap only those take a late reading that are still open', () => {
  expect(starts(openWindowsOf(hopping()).openAt(1500, 4000, 4000))).toEqual([]);
  expect(starts(openWindowsOf(hopping()).openAt(1500, 3999, 3999))).toEqual([1000]);
  expect(starts(openWindowsOf(hopping(500)).openAt(1500, 4499, 4499))).toEqual([1000]);
});

test('a window that closed is not found any more', () => {
  const windows = openWindowsOf(definition());
  windows.openAt(1000, NEVER, NEVER);
  windows.openAt(0, NEVER, NEVER);
  expect(windows.find(500)).toBeDefined();
  windows.close(1);
  expect(windows.find(500)).toBeUndefined();
  expect(windows.openAt(500, NEVER, NEVER)).toEqual([]);
  expect(starts(windows.openAt(1500, NEVER, NEVER))).toEqual([1000]);
});

test('a window does not open when its end and the allowed lateness are reached', () => {
  const windows = openWindowsOf(definition(500));
  expect(windows.openAt(0, 1500, 1500)).toEqual([]);
  expect(windows.openAt(0, 1500, 1499.9)[0]?.passed).toBe(true);
});

test('a window whose end the watermark has just reached opens as passed', () => {
  expect(openWindowsOf(definition(500)).openAt(0, 1000, NEVER)[0]?.passed).toBe(true);
  expect(openWindowsOf(definition(500)).openAt(0, 999, NEVER)[0]?.passed).toBe(false);
});

test('what was closed early does not open again', () => {
  const windows = openWindowsOf(definition());
  windows.floor = 1000;
  expect(windows.openAt(999, NEVER, NEVER)).toEqual([]);
  expect(windows.openAt(1000, NEVER, NEVER)).toHaveLength(1);
});

test('with no room left a window older than all does not open', () => {
  const windows = openWindowsOf(definition());
  const { maxOpen } = windows.definition;
  for (let i = 1; i <= maxOpen; i++) windows.openAt(i * 1000, NEVER, NEVER);
  expect(windows.openAt(0, NEVER, NEVER)).toEqual([]);
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
