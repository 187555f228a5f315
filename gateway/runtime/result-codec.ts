import { GatewayError } from '../core/errors.ts';
import type { Result } from '../core/result.ts';

/** The payload of an outbox record: results as JSON, so that any tool can read a buffer. All numbers in results are finite. */
export function encodeResults(results: readonly Result[]): Uint8Array {
  return Buffer.from(JSON.stringify(results));
}

/** Reads the payload of an outbox record back. @throws GatewayError where it is not JSON of results */
export function decodeResults(payload: Uint8Array): readonly Result[] {
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8');
  try {
    const results: unknown = JSON.parse(text);
    if (Array.isArray(results)) return results as readonly Result[];
  } catch (error) {
    throw new GatewayError('Cannot read outbox record: it is not JSON', { cause: error });
  }
  throw new GatewayError('Cannot read outbox record: it is not an array of results');
}
