/** A number for a person: at most six significant digits, no trailing zeros, never `-0`. */
export function numberInWords(value: number): string {
  return String(Number(value.toPrecision(6)) + 0);
}

/** A range for a person: `between 18.2 and 24.9`, or the number itself where both ends are the same in words. Infinite ends become the largest numbers. */
export function rangeInWords(low: number, high: number): string {
  const [from, to] = [numberInWords(finite(low)), numberInWords(finite(high))];
  return from === to ? from : `between ${from} and ${to}`;
}

/** A length of time for a person: `250 ms`, `12 s`, `5 min`, `3 h`, `2 days`, at most one decimal. */
export function durationInWords(ms: number): string {
  const units: readonly (readonly [number, string])[] = [
    [172_800_000, 'days'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1000, 's'],
  ];
  for (const [from, unit] of units) {
    if (ms >= from) return `${oneDecimal(ms / (unit === 'days' ? 86_400_000 : from))} ${unit}`;
  }
  return `${oneDecimal(ms)} ms`;
}

function finite(value: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));
}

function oneDecimal(value: number): string {
  return String(Math.round(value * 10) / 10);
}
