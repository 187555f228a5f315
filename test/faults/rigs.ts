import { badBroker, forbiddenTopics } from './bad-broker.ts';
import { badConfiguration } from './bad-configuration.ts';
import { badReceiver, killedReceiver } from './bad-receiver.ts';
import { busySink, lostAnswers, poison, refusingSink, slowSink } from './bad-sink.ts';
import { bytesWritten } from './bytes-written.ts';
import { clockSteps } from './clock-steps.ts';
import { crashPoints } from './crash-points.ts';
import { damage } from './damage.ts';
import { durableAcknowledgements } from './durable-acknowledgements.ts';
import { failingCalls } from './failing-calls.ts';
import { freeze } from './freeze.ts';
import { fullDisk } from './full-disk.ts';
import { edgeValues, hostileNames, hostilePayloads, manyDevices } from './hostile-input.ts';
import { kill } from './kill.ts';
import { killInsideCall } from './kill-inside-call.ts';
import { largeBacklog } from './large-backlog.ts';
import { olderVersion } from './older-version.ts';
import { outageOfADay, outageOfAnHour } from './outage.ts';
import { powerCut } from './power-cut.ts';
import type { Rig } from './rig.ts';
import { stall } from './stall.ts';
import { terminate } from './terminate.ts';

/** Faults of the process. */
export const processRigs: readonly Rig[] = [kill, killInsideCall, freeze, crashPoints, terminate, olderVersion];

/** Faults of the disk. */
export const diskRigs: readonly Rig[] = [powerCut, fullDisk, failingCalls, stall, damage];

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
  badBroker,
  killedReceiver,
  badReceiver,
  forbiddenTopics,
];

/** What no well-meaning person sends or writes. */
export const inputRigs: readonly Rig[] = [hostilePayloads, edgeValues, hostileNames, manyDevices, badConfiguration];

/** What is promised in figures. */
export const figureRigs: readonly Rig[] = [durableAcknowledgements, largeBacklog, bytesWritten];

/** Every rig, in order of the table. */
export const rigs: readonly Rig[] = [
  ...processRigs,
  ...diskRigs,
  ...clockRigs,
  ...sinkRigs,
  ...inputRigs,
  ...figureRigs,
];
