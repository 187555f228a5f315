import { expect, it } from 'vitest';
import { webhookKey } from '../../../gateway/base/webhook-secret.ts';

it('a secret is whsec_ and Base64 of 24 to 64 bytes', () => {
  const secret = (bytes: number) => `whsec_${Buffer.alloc(bytes, 7).toString('base64')}`;
  for (const bytes of [24, 32, 33, 64]) expect(webhookKey(secret(bytes))).toEqual(Buffer.alloc(bytes, 7));
  for (const wrong of [secret(23), secret(65), secret(32).slice(6), `${secret(32)}=`, 'whsec_', '', 'whsec_a b'])
    expect(webhookKey(wrong)).toBeUndefined();
});
