import type { Clock } from '../core/clock.ts';
import type { Analysis } from './analysis.ts';
import type { TimeCommand } from './command.ts';

/** For less than this nobody is taken for silent. */
const NOTICEABLE_MS = 1_000;

/** Who is told when the sources were held back. */
export interface HeldBackParts {
  readonly clock: Clock;
  readonly analysis: Pick<Analysis, 'judgesSilence'>;
  readonly tell: (command: TimeCommand) => void;
}

/** The same back-pressure; but who judges how long nothing has come is told when it is over: who was held back was not silent. */
export function heldBack(
  backPressure: () => Promise<void> | undefined,
  { clock, analysis, tell }: HeldBackParts,
): () => Promise<void> | undefined {
  const wait = async (pressure: Promise<void>) => {
    const since = clock.monotonicMs();
    await pressure;
    if (clock.monotonicMs() - since < NOTICEABLE_MS || !analysis.judgesSilence) return;
    tell({ type: 'listening-again', time: clock.now() });
  };
  return () => {
    const pressure = backPressure();
    return pressure === undefined ? undefined : wait(pressure);
  };
}
