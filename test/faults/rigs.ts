import { busySink, lostAnswers, poison, refusingSink, slowSink } from './bad-sink.ts';
import { clockSteps } from './clock-steps.ts';
import { failingCalls } from './failing-calls.ts';
import { freeze } from './freeze.ts';
import { fullDisk } from './full-disk.ts';
import { kill } from './kill.ts';
import { killInsideCall } from './kill-inside-call.ts';
import { outageOfADay, outageOfAnHour } from './outage.ts';
import { powerCut } from './power-cut.ts';
import type { Rig } from './rig.ts';
import { stall } from './stall.ts';
import { terminate } from './terminate.ts';

/** Faults of the process. */
export const processRigs: readonly Rig[] = [kill, killInsideCall, freeze, terminate];

/** Faults of the disk. */
export const diskRigs: readonly Rig[] = [powerCut, fullDisk, failingCalls, stall];

/** Faults of the clock. */
export const clockRigs: readonly Rig[] = [clockSteps];

/** Faults of sinks. */
export const sinkRigs: readonly Rig[] = [
  slowSink,
  lostAnswers,
  busySink,
  refusingSink,
  poison,
  outageOfAnHour,
  outageOfADay,
];

/** Every rig, in order of the table. */
export const rigs: readonly Rig[] = [...processRigs, ...diskRigs, ...clockRigs, ...sinkRigs];
