import type { DiskCall } from '../model/faulty-disk.ts';
import type { Climate } from './climate.ts';
import type { DiskWeather } from './disk-weather.ts';
import type { SimBox } from './sim-box.ts';
import type { Cut, SimNetwork } from './sim-network.ts';
import type { SimStore, SinkTrouble } from './sim-store.ts';

/** What faults are made with. */
export interface FaultTargets {
  readonly weather: DiskWeather;
  readonly network: SimNetwork;
  readonly stores: readonly SimStore[];
  readonly box: SimBox;
  readonly climate: Climate;
}

/** Calls of a disk that is failing. */
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
/** Reading calls: refused while the gateway runs, that is: what cannot be read at a start is a matter of damage. */
export const READING: readonly DiskCall[] = ['open', 'list', 'size', 'read'];
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
export function makeFault(random: () => number, targets: FaultTargets): void {
  const { weather, network, stores, box, climate } = targets;
  const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!;
  const seconds = (most: number) => random() * most * 1_000;
  const mostAiling = climate.whenFull === 'block' ? 60 : 600;
  const faults: readonly (() => void)[] = [
    () => {
      const calls = WRITING.filter(() => random() < 0.4);
      weather.fail(calls, random(), seconds(5));
    },
    () => {
      const calls = READING.filter(() => random() < 0.4);
      weather.fail(calls, random(), seconds(5));
    },
    () => weather.stall(seconds(12)),
    () => weather.fallShort(seconds(10)),
    () => weather.fill(Math.floor(random() * 8_000), seconds(20)),
    () => network.cutOne(pick(CUTS)),
    () => network.cutOne(pick(CUTS)),
    () => pick(stores).ail(pick(TROUBLES), seconds(mostAiling)),
    () => pick(stores).ail(pick(TROUBLES), seconds(mostAiling)),
    ...(climate.isClockSet
      ? [() => box.missetClock((random() - 0.5) * 4 * 3_600_000), () => box.missetClock((random() - 0.5) * 2_000)]
      : []),
  ];
  pick(faults)();
}
