import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { settle } from '../../manual-clock.ts';
import { temporaryFolder } from '../../temporary-folder.ts';
import { BrokerBox } from './broker-box.ts';
import { publishFrame, pubrelFrame, type RawClient, subscribeFrame } from './raw-client.ts';

const PUBREC = '50020007';
const PUBCOMP = '70020007';

let box: BrokerBox;
beforeEach(async () => {
  box = new BrokerBox(await temporaryFolder());
  await box.boot();
});
afterEach(() => box.end());

/** A message without a time of its own: nothing but QoS 2 tells whether it has come before. */
function publish(dup = false, payload = '1'): Buffer {
  return publishFrame({ topic: 'sensors/press-1/temperature', payload, id: 7, qos: 2, dup });
}

/** The next packet in hexadecimal digits; undefined when the connection is closed instead. */
async function answer(client: RawClient): Promise<string | undefined> {
  return (await client.frame())?.toString('hex');
}

/** Sends a packet, and gets its answer. */
async function exchange(client: RawClient, packet: Buffer, expected: string): Promise<void> {
  client.send(packet);
  expect(await answer(client)).toBe(expected);
}

/** A client whose message was admitted, and not released yet. */
async function admitted(): Promise<RawClient> {
  const client = await box.connect();
  await exchange(client, publish(), PUBREC);
  return client;
}

/** The client, connected again to the gateway that came after a crash. */
async function afterCrash(): Promise<RawClient> {
  await box.crash();
  return await box.connect();
}

function received(): number {
  return box.gateway.status().ledger.received;
}

/** Publishes under the same id once more, which must count. */
async function countsAsNew(client: RawClient): Promise<void> {
  const before = received();
  await exchange(client, publish(), PUBREC);
  expect(received()).toBe(before + 1);
}

describe('a QoS 2 message is admitted once', () => {
  test('when the gateway dies before the message is durable', async () => {
    const client = await box.connect();
    box.journal.stuck = true;
    client.send(publish());
    await vi.waitUntil(() => received() === 1);
    await settle();
    const again = await afterCrash();
    await exchange(again, publish(true), PUBREC);
    expect(received()).toBe(1);
  });

  test.each([false, true])(
    'when the gateway dies before PUBREC has arrived (checkpoint before: %s)',
    async (checkpoint) => {
      await admitted();
      if (checkpoint) await box.checkpoint();
      const again = await afterCrash();
      // With the DUP flag, as the standard asks, and without, as some clients do.
      for (const dup of [true, false]) await exchange(again, publish(dup), PUBREC);
      expect(received()).toBe(1);
      await exchange(again, pubrelFrame(7), PUBCOMP);
      await countsAsNew(again);
    },
  );

  test('when the gateway dies between PUBREC and PUBREL', async () => {
    await admitted();
    const again = await afterCrash();
    await exchange(again, pubrelFrame(7), PUBCOMP);
    expect(received()).toBe(1);
    await countsAsNew(again);
  });

  test('when the gateway dies between PUBREL and PUBCOMP, which waits until the end of the exchange is durable', async () => {
    const client = await admitted();
    box.journal.stuck = true;
    client.send(pubrelFrame(7));
    // Sent again it must not be answered either.
    client.send(pubrelFrame(7));
    expect(await client.answersPingFirst()).toBe(true);
    const again = await afterCrash();
    await exchange(again, pubrelFrame(7), PUBCOMP);
    expect(received()).toBe(1);
    await countsAsNew(again);
  });

  test('and once PUBCOMP has left, the id is that of another message after a crash too', async () => {
    const client = await admitted();
    await box.checkpoint();
    await exchange(client, pubrelFrame(7), PUBCOMP);
    await countsAsNew(await afterCrash());
  });

  test('though it was refused: the crash does not take its dead letter', async () => {
    const client = await box.connect();
    await exchange(client, publish(false, '{'), PUBREC);
    const again = await afterCrash();
    await exchange(again, publish(true, '{'), PUBREC);
    expect(box.gateway.status().ledger).toMatchObject({ received: 1, rejected: 1 });
  });

  test('through a take-over by another connection', async () => {
    const client = await admitted();
    const other = await box.connect();
    await client.waitClosed();
    await exchange(other, publish(true), PUBREC);
    expect(received()).toBe(1);
  });
});

describe('another message', () => {
  test('under an id whose PUBREL never came is admitted: a device that forgot its session loses nothing', async () => {
    await admitted();
    const again = await afterCrash();
    await exchange(again, publish(false, '2'), PUBREC);
    expect(received()).toBe(2);
    await exchange(again, publish(true, '2'), PUBREC);
    expect(received()).toBe(2);
  });

  test('of another client is admitted under the same id', async () => {
    for (const id of ['one', 'two']) await countsAsNew(await box.connect(id));
  });

  test('after a clean session was asked for is admitted, after a crash too', async () => {
    const client = await admitted();
    client.close();
    const clean = await box.connect('plc', true);
    await countsAsNew(clean);
    await countsAsNew(await afterCrash());
  });

  test('of a clean session is not remembered beyond it', async () => {
    for (let round = 0; round < 2; round++) {
      const client = await box.connect('plc', true);
      await countsAsNew(client);
      await exchange(client, publish(true), PUBREC);
      expect(received()).toBe(round + 1);
      client.close();
      await vi.waitUntil(() => box.clients() === 0);
    }
  });

  test('that is a will is admitted, though it has no id', async () => {
    const client = await box.connect('plc', false, 2);
    client.close();
    await vi.waitUntil(() => received() === 1);
  });
});

test('a message whose topic is illegal is not taken for one that was admitted', async () => {
  const illegal = publishFrame({ topic: 'sensors/press-1/\u0001', payload: '1', id: 7, qos: 2 });
  const client = await box.connect();
  client.send(illegal);
  await client.waitClosed();
  const again = await afterCrash();
  again.send(illegal);
  expect(await answer(again)).toBe(undefined);
});

test('subscribers get a message once, though it is sent again', async () => {
  const subscriber = await box.connect('display', true);
  subscriber.send(subscribeFrame('sensors/#', 0));
  expect((await subscriber.frame())?.[0]).toBe(0x90);
  const client = await box.connect();
  for (const dup of [false, true]) await exchange(client, publish(dup), PUBREC);
  await exchange(client, pubrelFrame(7), PUBCOMP);
  // The last one is another message although the one before was not released.
  for (const payload of ['2', '3']) await exchange(client, publish(false, payload), PUBREC);
  const heard = [await subscriber.frame(), await subscriber.frame(), await subscriber.frame()];
  expect(heard.map((frame) => frame?.toString().slice(-1))).toEqual(['1', '2', '3']);
});

test('what it remembers is bounded, and told: with a session in the journal, without one in memory', async () => {
  const used = () =>
    Object.fromEntries(
      box.gateway
        .status()
        .memory.bounds.filter(({ name }) => name.includes('QoS 2'))
        .map(({ name, used }) => [name, used]),
    );
  await admitted();
  await exchange(await box.connect('passing', true), publish(), PUBREC);
  expect(used()).toEqual({
    'QoS 2 messages under way': 1,
    'floor: QoS 2 without a session': 1,
    'floor: QoS 2 forwarded': 2,
  });
});
