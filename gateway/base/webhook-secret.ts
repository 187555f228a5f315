/** How many bytes the key of a secret has. */
const KEY_BYTES = { min: 24, max: 64 };

/** The key of a secret of Standard Webhooks, `whsec_` and Base64; undefined where it is none of 24 to 64 bytes. */
export function webhookKey(secret: string): Buffer | undefined {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)?.[1];
  if (encoded === undefined || encoded.length % 4 !== 0) return undefined;
  const key = Buffer.from(encoded, 'base64');
  return key.length >= KEY_BYTES.min && key.length <= KEY_BYTES.max ? key : undefined;
}
