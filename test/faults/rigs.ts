import { kill } from './kill.ts';
import { killInsideCall } from './kill-inside-call.ts';
import { powerCut } from './power-cut.ts';
import type { Rig } from './rig.ts';

/** Faults of the process. */
export const processRigs: readonly Rig[] = [kill, killInsideCall];

/** Faults of the disk. */
export const diskRigs: readonly Rig[] = [powerCut];

/** Every rig, in order of the table. */
export const rigs: readonly Rig[] = [...processRigs, ...diskRigs];
