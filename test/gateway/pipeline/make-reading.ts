import { deserialize, serialize } from 'node:v8';
import { SeriesRegistry } from '../../../gateway/base/series-registry.ts';
import { Quality } from '../../../gateway/core/quality.ts';
import type { Reading, Series, Value } from '../../../gateway/core/reading.ts';

/** Series by path, `device/metric` or `site/device/metric`. */
export class Plant {
  readonly registry = new SeriesRegistry();

  series(path: string): Series {
    const parts = path.split('/');
    const [device, metric] = parts.slice(-2);
    const site = parts.length === 3 ? parts[0] : undefined;
    const made = this.registry.intern({
      device: device!,
      metric: metric!,
      ...(site === undefined ? {} : { tags: { site } }),
    });
    if (typeof made === 'string') throw new Error(made);
    return made;
  }

  /** Received when it was measured, unless told otherwise. */
  reading(path: string, value: Value, sourceTime: number, more: { at?: number; quality?: Quality } = {}): Reading {
    const { at = sourceTime, quality = Quality.good } = more;
    const stamped = at === sourceTime;
    return { series: this.series(path), source: 'test', value, quality, sourceTime, receiveTime: at, stamped };
  }
}

/** What is left of a snapshot after it was written to disk and read back. */
export function throughDisk(snapshot: unknown): unknown {
  return deserialize(serialize(snapshot));
}
