import { describe, it } from 'vitest';
import { LogModel } from './log-model.ts';

const RUNS = Number(process.env['HEADGATE_MODEL_RUNS'] ?? 40);
const FIRST_SEED = Number(process.env['HEADGATE_MODEL_SEED'] ?? 1);

/** Seeds of runs that once broke a promise. */
const REGRESSIONS = [7, 9, 52, 111, 303, 735, 964, 1015, 1051, 3106];

describe('the segment log against a plain array', () => {
  it.each(REGRESSIONS)('keeps every promise in run %i, which once broke one', (seed) => new LogModel(seed).run());

  it(`keeps every promise through ${RUNS} runs of faults and crashes`, async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) {
      try {
        await new LogModel(seed).run();
      } catch (error) {
        throw new Error(`seed ${seed}: run again with HEADGATE_MODEL_SEED=${seed} HEADGATE_MODEL_RUNS=1`, {
          cause: error,
        });
      }
    }
  });
});
