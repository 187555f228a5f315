import type { DiskCall } from '../model/faulty-disk.ts';
import type { DiskWeather } from './disk-weather.ts';
import type { SimClock } from './sim-clock.ts';
import type { Cut, SimNetwork } from './sim-network.ts';
import type { SimStore, SinkTrouble } from './sim-store.ts';

/** What faults are made with. */
export interface FaultTargets {
  readonly weather: DiskWeather;
  readonly network: SimNetwork;
  readonly stores: readonly SimStore[];
  readonly clock: SimClock;
  readonly trueTime: () => number;
}

/** Calls of a disk that is failing; what was read wrongly is a matter of damage. */
const WRITING: readonly DiskCall[] = [
  'create',
  'rename',
  'remove',
  'syncDirectory',
  'freeBytes',
  'write',
  'truncate',
  'datasync',
  'close',
];
const CUTS: readonly Cut[] = ['reset', 'unnoticed by the client', 'unnoticed by the gateway'];
const TROUBLES: readonly SinkTrouble[] = [
  'refuses',
  'hangs',
  'crawls',
  'loses the answer',
  'stores a part',
  'asks to wait',
  'wants other credentials',
];

/** Lets something go wrong that a running gateway has to bear. */
export function makeFault(random: () => number, { weather, network, stores, clock, trueTime }: FaultTargets): void {
  const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!;
  const seconds = (most: number) => random() * most * 1_000;
  const faults: readonly (() => void)[] = [
    () => {
      const calls = WRITING.filter(() => random() < 0.4);
      weather.fail(calls, random(), seconds(5));
    },
    () => weather.stall(seconds(12)),
    () => weather.fallShort(seconds(10)),
    () => weather.fill(Math.floor(random() * 8_000), seconds(20)),
    () => network.cutOne(pick(CUTS)),
    () => network.cutOne(pick(CUTS)),
    () => pick(stores).ail(pick(TROUBLES), seconds(60)),
    () => pick(stores).ail(pick(TROUBLES), seconds(60)),
    () => clock.jump(trueTime() + (random() - 0.5) * 4 * 3_600_000 - clock.now()),
    () => clock.jump((random() - 0.5) * 2_000),
  ];
  pick(faults)();
}
