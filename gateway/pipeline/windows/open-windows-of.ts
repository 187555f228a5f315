import { OpenAlignedWindows } from './open-aligned-windows.ts';
import { OpenRollups } from './open-rollups.ts';
import { OpenSessions } from './open-sessions.ts';
import type { OpenWindows, OpenWindowTally } from './open-windows.ts';
import type { WindowDefinition } from './window-definition.ts';

/**
 * What one series has open under the definitions that mean it: one for each, in their order.
 *
 * @param definitions each after the one it is made from
 */
export function openWindowsOf(
  definitions: readonly WindowDefinition[],
  tally: OpenWindowTally,
): readonly OpenWindows[] {
  const made: OpenWindows[] = [];
  for (const definition of definitions) {
    const { assigner, from } = definition;
    const parts = made.find((other) => other.definition === from);
    if (assigner === undefined) made.push(new OpenSessions(definition, tally));
    else if (parts === undefined) made.push(new OpenAlignedWindows(definition, assigner, tally));
    else made.push(new OpenRollups(definition, assigner, tally, parts));
  }
  // A copy takes no more memory than it needs: a list that has grown does.
  return made.slice();
}
