import { isIPv4, isIPv6 } from 'node:net';

/** An address to listen on. */
export interface HostPort {
  /** A name or an IP address, without the brackets of IPv6. */
  readonly host: string;
  /** 0 to 65535; 0 asks the system for a free port. */
  readonly port: number;
}

const DURATION_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 365 * 86_400_000,
};

/** Longest duration that is taken: a hundred years, in milliseconds. */
export const MAX_DURATION_MS = 100 * 365 * 86_400_000;

/** What a duration may look like, for people. */
export const DURATION_HELP = 'a number with a unit: 500ms, 10s, 1m, 1h30m, 30d, 1y';

/** Matches what `parseDuration` takes, as the source of a regular expression for a JSON Schema. */
export const DURATION_PATTERN = '^\\s*(0|(\\d+(\\.\\d+)?\\s*(ms|s|m|h|d|w|y)\\s*)+)\\s*$';

/**
 * Reads a duration such as `500ms`, `10s` or `1m30s`: milliseconds, from 0 to a hundred years; or why it is none, as a sentence.
 * Units are ms, s, m, h, d, w and y, of 365 days; only 0 may stand without one.
 */
export function parseDuration(text: string | number): number | string {
  const trimmed = String(text).trim();
  if (trimmed === '0') return 0;
  if (trimmed.startsWith('-')) return `a duration must not be negative: got ${quote(text)}`;
  if (/^\d+(\.\d+)?$/.test(trimmed))
    return `a duration needs a unit: got ${quote(text)}, write ${trimmed}s or ${trimmed}ms`;
  if (!new RegExp(DURATION_PATTERN).test(trimmed)) return `not a duration: got ${quote(text)}`;
  let ms = 0;
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/g))
    ms += Number(amount) * DURATION_MS[unit!]!;
  // 8.2m is 492 000 ms, not 491 999.999 999 999 94.
  const whole = Math.round(ms);
  if (Math.abs(ms - whole) < 1e-9 * whole) ms = whole;
  return ms <= MAX_DURATION_MS ? ms : `a duration must be at most 100 years: got ${quote(text)}`;
}

/** Writes a duration in the largest unit that needs no fraction: `90s`, `2m`, `0s`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  const unit = ['d', 'h', 'm', 's'].find((candidate) => ms % DURATION_MS[candidate]! === 0) ?? 'ms';
  return `${ms / DURATION_MS[unit]!}${unit}`;
}

const SIZE_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** What a size may look like, for people. */
export const SIZE_HELP = 'a number of bytes, or a number with a unit: 64 kB, 500 MiB, 2 GiB';

/** Matches what `parseSize` takes, as the source of a regular expression for a JSON Schema. */
export const SIZE_PATTERN = '^\\s*\\d+(\\.\\d+)?\\s*(B|kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB)?\\s*$';

/** Reads a size such as `500 MiB`, `64kB` or a plain number of bytes: whole bytes, from 0; or why it is none, as a sentence. */
export function parseSize(text: string | number): number | string {
  const trimmed = String(text).trim();
  if (trimmed.startsWith('-')) return `a size must not be negative: got ${quote(text)}`;
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(trimmed) ?? [];
  if (amount === undefined || unit === undefined) return `not a size: got ${quote(text)}`;
  const factor = unit === '' ? 1 : SIZE_BYTES[unit];
  if (factor === undefined) return `unknown unit of size ${quote(unit)} in ${quote(text)}${caseHint(unit)}`;
  const bytes = Math.round(Number(amount) * factor);
  return Number.isSafeInteger(bytes) ? bytes : `a size must be below 8 PiB: got ${quote(text)}`;
}

function caseHint(unit: string): string {
  const near = Object.keys(SIZE_BYTES).find((known) => known.toLowerCase() === unit.toLowerCase());
  return near === undefined ? '' : `, did you mean ${near}?`;
}

/** What an address to listen on may look like, for people. */
export const HOST_PORT_HELP = 'host:port, such as 127.0.0.1:1883, 0.0.0.0:1883 for every interface, or [::1]:1883';

/** Matches what `parseHostPort` takes, as the source of a regular expression for a JSON Schema. */
export const HOST_PORT_PATTERN = '^(\\[[0-9A-Fa-f:.]+\\]|[A-Za-z0-9._-]+):\\d{1,5}$';

/** Reads `host:port`, IPv6 in brackets; or says why it is none, as a sentence. */
export function parseHostPort(text: string | number): HostPort | string {
  const trimmed = String(text).trim();
  if (/^:?\d+$/.test(trimmed)) {
    return `an address needs a host: got ${quote(text)}, write 127.0.0.1:${trimmed.replace(':', '')}`;
  }
  const [, host, digits] = /^(.*):(\d+)$/.exec(trimmed) ?? [];
  if (host === undefined || digits === undefined || isIPv6(trimmed))
    return `an address needs a port: got ${quote(text)}`;
  const port = Number(digits);
  if (port > 65_535) return `a port must be 0 to 65535: got ${digits}`;
  if (host.startsWith('[') && host.endsWith(']')) {
    const address = host.slice(1, -1);
    return isIPv6(address) ? { host: address, port } : `not an IPv6 address: got ${quote(address)}`;
  }
  if (isIPv6(host)) return `an IPv6 address stands in brackets: got ${quote(text)}, write [${host}]:${digits}`;
  if (/^[\d.]+$/.test(host) && !isIPv4(host)) return `not an IPv4 address: got ${quote(host)}`;
  if (!/^[A-Za-z0-9._-]+$/.test(host)) return `not a host: got ${quote(host)}`;
  return { host, port };
}

/** True for addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  if (isIPv4(host)) return host.startsWith('127.');
  return host === 'localhost' || host === '::1' || /^::ffff:127\./i.test(host) || host === '0:0:0:0:0:0:0:1';
}

/** Writes `host:port`, IPv6 in brackets. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}…"`;
}
