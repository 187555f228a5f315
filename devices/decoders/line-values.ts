import type { EpochMs } from '../../gateway/core/clock.ts';
import type { DecodeTarget } from '../../gateway/core/message.ts';
import type { Value } from '../../gateway/core/reading.ts';

/** A line of line protocol, taken apart. */
export interface Line {
  readonly measurement: string;
  readonly tags: Record<string, string> | undefined;
  readonly fields: readonly (readonly [string, Value])[];
  readonly time: EpochMs | undefined;
}

/**
 * Names the values of a line. Device: the tag `device`, else the tag `host`, else the measurement. Metric: `measurement_field`, or the
 * measurement alone for a field called `value`. The other tags stay tags.
 */
export function giveValues({ measurement, tags, fields, time }: Line, target: DecodeTarget): void {
  let device = measurement;
  let others = tags;
  const deviceTag = tags === undefined ? undefined : 'device' in tags ? 'device' : 'host' in tags ? 'host' : undefined;
  if (tags !== undefined && deviceTag !== undefined) {
    device = tags[deviceTag]!;
    others = without(tags, deviceTag);
  }
  for (const [name, value] of fields) {
    const metric = name === 'value' ? measurement : `${measurement}_${name}`;
    target.value(value, time, metric, device, others);
  }
}

function without(tags: Record<string, string>, name: string): Record<string, string> | undefined {
  const others: Record<string, string> = Object.create(null);
  let count = 0;
  for (const key of Object.keys(tags)) {
    if (key === name) continue;
    others[key] = tags[key]!;
    count++;
  }
  return count === 0 ? undefined : others;
}
