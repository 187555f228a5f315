import type { Result } from '../../core/result.ts';

/** Why a result cannot be kept, as a sentence with the offending value; undefined when it can. */
export function unstorable(result: Result): string | undefined {
  const { key, device, metric } = result.series;
  const texts: Record<string, string> = { 'series key': key, device, metric };
  const numbers: Record<string, number> = Object.create(null);
  if (result.kind === 'aggregate') {
    const { window, start, end, revision, good, fields } = result;
    Object.assign(numbers, fields, { start, end, revision, good });
    texts['window'] = window;
    for (const name of Object.keys(fields)) {
      // Checked by itself, as a field may have the name of another number.
      if (!Number.isFinite(fields[name])) return `field ${JSON.stringify(name)} is ${fields[name]}; it must be finite`;
    }
  } else {
    const { id, detector, message, time, raisedAt, score, value } = result;
    Object.assign(numbers, { time, raisedAt, score, value });
    Object.assign(texts, { id, detector, message });
  }
  for (const [name, value] of Object.entries(numbers)) {
    if (!Number.isFinite(value)) return `${name} is ${value}; it must be finite`;
  }
  for (const [name, text] of Object.entries(texts)) {
    if (!text.isWellFormed()) return `the ${name} is not valid Unicode: ${JSON.stringify(text)}`;
  }
  return undefined;
}
