import { expect, it } from 'vitest';
import { webhookKey } from '../../../../gateway/base/webhook-secret.ts';
import { webhookHeaders, webhookId } from '../../../../gateway/sinks/webhook/signature.ts';

/** The example that the libraries of the specification test themselves with. */
const EXAMPLE = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestamp: 1_614_265_330,
  body: Buffer.from('{"test": 2432232314}'),
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};

it('the example of the specification is signed as it says', () => {
  expect(webhookHeaders(EXAMPLE, webhookKey(EXAMPLE.secret))).toEqual({
    'webhook-id': EXAMPLE.id,
    'webhook-timestamp': '1614265330',
    'webhook-signature': EXAMPLE.signature,
  });
});

it('without a key there is an id and a time, and no signature', () => {
  expect(Object.keys(webhookHeaders(EXAMPLE, undefined))).toEqual(['webhook-id', 'webhook-timestamp']);
});

it('an id is short, without a full stop, the same for the same and another for another', () => {
  const odd = `hall/${'x'.repeat(3_000)}.\n@1@raised`;
  expect(webhookId(odd)).toMatch(/^msg_[\w-]{32}$/);
  expect(webhookId(odd)).toBe(webhookId(odd));
  expect(webhookId(`${odd} `)).not.toBe(webhookId(odd));
});
