import type { RecordThinner } from '../../gateway/core/record-thinner.ts';

/** A payload with numbered items, each of one of three series, padded to a size. */
export function listPayload(ids: readonly number[], size: number): Buffer {
  return Buffer.from(`${ids.join(',')} `.padEnd(size, '.'));
}

function idsOf(payload: Uint8Array): readonly number[] {
  const text = Buffer.from(payload).toString().split(' ')[0]!;
  return text === '' ? [] : text.split(',').map(Number);
}

const seriesOf = (id: number) => `series ${id % 3}`;

function counted(ids: readonly number[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const id of ids) counts.set(seriesOf(id), (counts.get(seriesOf(id)) ?? 0) + 1);
  return counts;
}

/** Thins lists of numbers: at level n those stay that are the 2^n-th of their series. */
export const listThinner: RecordThinner = {
  seriesOf: (payload) => counted(idsOf(payload)),
  thin: (payload, level) => {
    const ids = idsOf(payload);
    const kept = ids.filter((id) => Math.floor(id / 3) % 2 ** level === 0);
    if (kept.length === ids.length) return undefined;
    const size = Math.ceil((payload.length * kept.length) / ids.length);
    const removed = counted(ids.filter((id) => !kept.includes(id)));
    return { payload: listPayload(kept, size), items: kept.length, removed };
  },
};
