import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countTurns } from './turns.ts';
import { World } from './world.ts';

const SEEDS = Number(process.env['HEADGATE_SIMULATION_SEEDS'] ?? 10);
const FIRST_SEED = Number(process.env['HEADGATE_SIMULATION_SEED'] ?? 1);

/** Seeds of worlds in which the gateway once broke a promise; a change of what is drawn makes them other worlds. */
const REGRESSIONS: readonly number[] = [10_351, 20_307];

describe('the whole gateway in simulated worlds', () => {
  let restore: () => void;
  beforeAll(() => {
    restore = countTurns();
  });
  afterAll(() => restore());

  it.each(REGRESSIONS)('keeps its promises in world %i, where it once broke one', (seed) => new World(seed).run());

  it('two runs of a seed are the same, event for event', async () => {
    const ends: string[] = [];
    for (let run = 0; run < 2; run++) {
      const world = new World(FIRST_SEED);
      await world.run();
      ends.push(world.trace.end);
    }
    expect(ends[1]).toBe(ends[0]);
  });

  it(`keeps its promises in ${SEEDS} worlds of faults and crashes`, { timeout: 3_600_000 }, async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      try {
        await new World(seed).run();
      } catch (error) {
        throw new Error(`seed ${seed}: run again with HEADGATE_SIMULATION_SEED=${seed} HEADGATE_SIMULATION_SEEDS=1`, {
          cause: error,
        });
      }
    }
  });
});
