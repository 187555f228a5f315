/** Where a file lives: its floor, from 0 at the bottom, and the room on it. Tests and simulators live beside the house. */
export interface Home {
  readonly floor: number;
  readonly room: string;
}

const FRONT_DOOR = /^(gateway\/(main\.ts|headgate\.js)$|bench\/|config\/generate-schema\.ts$)/;
const ROOM = /^(gateway\/(?:pipeline|detect|buffer|sinks|runtime|api)|devices|config)\//;

/** The home of a source file; undefined where no such place is in the plan. */
export function homeOf(file: string): Home | undefined {
  if (file.startsWith('gateway/core/')) return { floor: 0, room: 'gateway/core' };
  if (file.startsWith('gateway/base/')) return { floor: 1, room: 'gateway/base' };
  if (file.startsWith('simulators/')) return { floor: 0, room: 'simulators' };
  // The front door is three rooms, one above the other: docs/decisions/0003.
  if (file.startsWith('gateway/catalog/')) return { floor: 3, room: 'gateway/catalog' };
  if (file.startsWith('gateway/commands/')) return { floor: 4, room: 'gateway/commands' };
  if (FRONT_DOOR.test(file)) return { floor: 5, room: 'the front door' };
  const room = ROOM.exec(file)?.[1];
  if (room !== undefined) return { floor: 2, room };
  if (file.startsWith('test/') || file === 'vitest.config.ts') return { floor: 6, room: 'test' };
  return undefined;
}

/** Why a file must not import another; undefined when it may. */
export function forbiddenImport(from: string, to: string): string | undefined {
  const [here, there] = [homeOf(from), homeOf(to)];
  if (here === undefined || there === undefined || here.room === there.room || here.room === 'test') return undefined;
  if (here.room === 'simulators')
    return 'simulators are independent witnesses: write the few lines you need there again';
  if (there.room === 'simulators') {
    return here.floor > 3 ? undefined : 'only commands and benchmarks may start simulators: pass in what you need';
  }
  if (there.floor > here.floor)
    return `imports go down only: move what you need to gateway/core or gateway/base, or pass it in`;
  if (there.floor === here.floor) {
    return `rooms do not know each other: let ${there.room} and ${here.room} meet in gateway/catalog, over a word in gateway/core`;
  }
  return undefined;
}
