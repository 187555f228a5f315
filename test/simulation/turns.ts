const nodeSetImmediate = globalThis.setImmediate;
let waiting = 0;

function countedSetImmediate<Args extends unknown[]>(action: (...args: Args) => void, ...args: Args): NodeJS.Immediate {
  waiting++;
  return nodeSetImmediate(() => {
    waiting--;
    action(...args);
  });
}

/**
 * Counts what waits for the next turn of the event loop from now on, so that `untilQuiet` knows when there is nothing left to run.
 * Call what is returned to end that. Nothing may cancel an immediate meanwhile.
 */
export function countTurns(): () => void {
  globalThis.setImmediate = Object.assign(countedSetImmediate, {
    __promisify__: nodeSetImmediate.__promisify__,
  });
  return () => {
    globalThis.setImmediate = nodeSetImmediate;
  };
}

/** Lets everything run that waits for no time to pass: promises, ticks and immediates, and what they lead to. */
export async function untilQuiet(): Promise<void> {
  do await new Promise<void>((resolve) => nodeSetImmediate(resolve));
  while (waiting > 0);
}
