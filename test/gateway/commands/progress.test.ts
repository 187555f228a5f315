import { expect, test } from 'vitest';
import { Progress } from '../../../gateway/commands/progress.ts';
import type { Surroundings } from '../../../gateway/commands/surroundings.ts';
import { ManualClock } from '../../manual-clock.ts';

function surroundings(isTerminal: boolean): { clock: ManualClock; written: string[]; surroundings: Surroundings } {
  const clock = new ManualClock();
  const written: string[] = [];
  return {
    clock,
    written,
    surroundings: {
      environment: {},
      workingFolder: '/',
      pid: 1,
      clock,
      random: () => 0,
      out: async () => undefined,
      err: (text) => written.push(text),
      isTerminal,
      signal: new AbortController().signal,
    },
  };
}

test('a person on a terminal sees progress after two seconds, on one line that goes away at the end', async () => {
  const { clock, written, surroundings: terminal } = surroundings(true);
  const progress = new Progress(terminal);
  for (let rows = 0; rows < 30; rows++) {
    progress.show(() => `${rows} rows`);
    await clock.advance(100);
  }
  expect(written.slice(0, 3)).toEqual(['\r\u001b[K20 rows', '\r\u001b[K22 rows', '\r\u001b[K24 rows']);
  progress.done();
  expect(written.at(-1)).toBe('\r\u001b[K');
});

test('what is over within two seconds, or is no terminal, shows nothing', async () => {
  const quick = surroundings(true);
  const progress = new Progress(quick.surroundings);
  await quick.clock.advance(1_900);
  progress.show(() => 'rows');
  progress.done();
  const pipe = surroundings(false);
  const silent = new Progress(pipe.surroundings);
  await pipe.clock.advance(10_000);
  silent.show(() => 'rows');
  silent.done();
  expect([...quick.written, ...pipe.written]).toEqual([]);
});
