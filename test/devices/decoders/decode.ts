import type { Decoder } from '../../../gateway/core/message.ts';

/** Everything a decoder said about a payload: values as plain objects without what is undefined, and reasons. */
export function decode(decoder: Decoder, payload: string | Uint8Array) {
  const values: Record<string, unknown>[] = [];
  const reasons: string[] = [];
  decoder.decode(
    { topic: 'test', payload: typeof payload === 'string' ? Buffer.from(payload) : payload, receiveTime: 0 },
    {
      value(value, time, metric, device, tags, quality) {
        const all = { value, time, metric, device, tags: tags === undefined ? undefined : { ...tags }, quality };
        values.push(Object.fromEntries(Object.entries(all).filter(([, part]) => part !== undefined)));
      },
      reject: (reason) => reasons.push(reason),
    },
  );
  return { values, reasons };
}
