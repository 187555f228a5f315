import { createHash, createHmac } from 'node:crypto';

/** A POST that receivers can believe: who has the secret sent it, when, and whether they had it before. */
export interface Signing {
  /** The same whenever the same message is sent again; without a full stop, which divides what is signed. */
  readonly id: string;
  /** When it is sent, in whole seconds since 1970. */
  readonly timestamp: number;
  readonly body: Buffer;
}

/**
 * The headers of the Standard Webhooks specification, version 1: `webhook-id`, `webhook-timestamp` and, with a key, `webhook-signature`
 * (HMAC-SHA256 over `id.timestamp.body`).
 *
 * Source: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md.
 */
export function webhookHeaders({ id, timestamp, body }: Signing, key: Buffer | undefined): Record<string, string> {
  const headers = { 'webhook-id': id, 'webhook-timestamp': String(timestamp) };
  if (key === undefined) return headers;
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64');
  return { ...headers, 'webhook-signature': `v1,${signature}` };
}

/** The id of a message that has any identity: short, of letters, digits, `-` and `_`. */
export function webhookId(identity: string): string {
  return `msg_${createHash('sha256').update(identity).digest('base64url').slice(0, 32)}`;
}
