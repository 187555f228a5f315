import { isAscii, isUtf8 } from 'node:buffer';

/** The largest payload that a decoder looks at, in bytes, unless it is told otherwise. */
export const MAX_PAYLOAD_BYTES = 1024 * 1024;

/** The most values of one message that are taken: what it takes to look at them holds up everybody else. */
export const MAX_VALUES = 10_000;

/** The bytes as a string, without a byte-order mark at the start; undefined when they are not valid UTF-8. */
export function textOf(payload: Uint8Array): string | undefined {
  const buffer = Buffer.isBuffer(payload)
    ? payload
    : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  // A one-byte string is several times cheaper to make, and to parse, than one decoded from UTF-8.
  if (isAscii(buffer)) return buffer.toString('latin1');
  if (!isUtf8(buffer)) return undefined;
  const start = buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf ? 3 : 0;
  return buffer.toString('utf8', start);
}

const MAX_SHOWN = 64;

/** A value as it may be shown in a reason: quoted, escaped and cut. */
export function shown(text: string): string {
  return JSON.stringify(text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`);
}

/** Why a payload of this size is not looked at. */
export function tooLarge(bytes: number, maxBytes: number): string {
  return `the payload has ${bytes} bytes; at most ${maxBytes} are decoded`;
}

/** Why a payload of so many values is not taken. */
export function tooMany(values: number): string {
  return `the payload has ${values} values; at most ${MAX_VALUES} are taken`;
}

/** Why bytes are not text. */
export const NOT_UTF8 = 'the payload is not valid UTF-8';
