import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { ownText } from '../../../gateway/base/own-text.ts';
import { SeriesRegistry } from '../../../gateway/base/series-registry.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const NAMES = 40;
const PAYLOAD = 1024 * 1024;

/** Bytes that stay when `keep` is given one name out of each of many large texts. */
function keptBytes(keep: (name: string) => void): number {
  const before = usedBytes();
  for (let i = 0; i < NAMES; i++) {
    const text = `name-of-a-device-${i} ${'x'.repeat(PAYLOAD)}`;
    keep(Buffer.from(text).toString('latin1').slice(0, 20));
  }
  return usedBytes() - before;
}

/** Long texts that come from a buffer lie outside the heap; buffers themselves are freed when V8 pleases. */
function usedBytes(): number {
  collect();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external - arrayBuffers;
}

test('a text of its own is equal, whatever its characters', () => {
  for (const text of ['', 'a', 'ü', '漢字', '🙂', 'a'.repeat(10_000)]) expect(ownText(text)).toBe(text);
});

test('the names of a series keep no payload alive', () => {
  const half = (NAMES * PAYLOAD) / 2;
  const slices: string[] = [];
  expect(keptBytes((name) => slices.push(name))).toBeGreaterThan(half);
  const registry = new SeriesRegistry();
  expect(keptBytes((name) => registry.intern({ device: name, metric: name, tags: { line: name } }))).toBeLessThan(half);
  expect(slices).toHaveLength(NAMES);
  expect(registry.all()).toHaveLength(NAMES);
});
