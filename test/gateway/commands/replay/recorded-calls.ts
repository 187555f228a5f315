import { SeriesRegistry } from '../../../../gateway/base/series-registry.ts';
import type { RecordedReader, RecordedTarget } from '../../../../gateway/commands/replay/recorded-input.ts';

/** Everything that a reader has told, as lines that are easy to compare. */
export function recordedCalls(): RecordedTarget & { readonly calls: string[] } {
  const registry = new SeriesRegistry();
  const calls: string[] = [];
  return {
    calls,
    series: (identity) => registry.intern(identity),
    reading: ({ key }, value, _quality, sourceTime) => calls.push(`${key} ${JSON.stringify(value)} ${sourceTime}`),
    reject: (subject, reason) => calls.push(`${subject}: ${reason}`),
  };
}

/** Gives a text to a reader in pieces of such sizes, again and again, as a file is read. */
export function readInPieces(reader: RecordedReader, text: string, sizes: readonly number[]): void {
  const all = Buffer.from(text);
  let rest: Buffer = Buffer.alloc(0);
  for (let at = 0, i = 0; ; i++) {
    const size = sizes[i % sizes.length]!;
    const bytes = Buffer.concat([rest, all.subarray(at, at + size)]);
    at += size;
    const isLast = at >= all.length;
    rest = bytes.subarray(reader.take(bytes, isLast));
    if (isLast) return;
  }
}
