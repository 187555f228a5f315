import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { untilAborted } from '../../../gateway/base/until-aborted.ts';
import { RunningWrites } from '../../../gateway/sinks/running-writes.ts';
import { failureOf } from './failure.ts';

const signal = new AbortController().signal;

describe('RunningWrites', () => {
  it('gives back what a write gives, and its error as it is', async () => {
    const writes = new RunningWrites('test');
    expect(await writes.run(signal, async () => 7)).toBe(7);
    const error = new Error('no');
    await expect(writes.run(signal, () => Promise.reject(error))).rejects.toBe(error);
  });

  it('aborts a write with the signal it was given, for the same reason, and no other', async () => {
    const writes = new RunningWrites('test');
    const aborter = new AbortController();
    const seen: AbortSignal[] = [];
    const write = (running: AbortSignal) => {
      seen.push(running);
      return untilAborted(running);
    };
    const first = writes.run(aborter.signal, write);
    const second = writes.run(signal, write);
    aborter.abort('enough');
    await first;
    expect(seen.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect(seen[0]?.reason).toBe('enough');
    await writes.stop();
    await second;
  });

  it('aborts all writes when it is stopped, and has stopped when the last of them is over', async () => {
    const writes = new RunningWrites('test');
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const over: string[] = [];
    const writing = ['quick', 'slow'].map((name) =>
      writes.run(signal, async (running) => {
        await untilAborted(running);
        if (name === 'slow') await released;
        over.push(name);
        throw new Error(name);
      }),
    );
    const outcomes = Promise.allSettled(writing);
    const stopping = writes.stop().then(() => over.push('stopped'));
    await setImmediate();
    expect(over).toEqual(['quick']);
    release();
    await stopping;
    expect(over).toEqual(['quick', 'slow', 'stopped']);
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('begins no write between a stop and the next start, and names the sink', async () => {
    const writes = new RunningWrites('MQTT');
    await writes.stop();
    let begun = 0;
    const write = async () => ++begun;
    expect(await failureOf(writes.run(signal, write))).toMatchObject({
      kind: 'transient',
      message: 'The MQTT sink is stopped',
    });
    expect([begun, writes.isStopped]).toEqual([0, true]);
    writes.start();
    expect(await writes.run(signal, write)).toBe(1);
    expect(writes.isStopped).toBe(false);
  });

  it('leaves nothing behind at the signal of a write that is over', async () => {
    const writes = new RunningWrites('test');
    const aborter = new AbortController();
    let given: AbortSignal | undefined;
    await writes.run(aborter.signal, async (running) => {
      given = running;
    });
    aborter.abort();
    await writes.stop();
    expect(given?.aborted).toBe(false);
  });
});
