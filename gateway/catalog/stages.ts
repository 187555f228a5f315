import type { Configuration } from '../../config/configuration.ts';
import type { SeriesRegistry } from '../base/series-registry.ts';
import { DetectStage } from '../detect/detect-stage.ts';
import { Normaliser } from '../pipeline/normalise.ts';
import { WindowStage } from '../pipeline/windows.ts';

/** The check before the journal, as configured. */
export function makeNormaliser({ series, time }: Configuration): Normaliser {
  return new Normaliser(series, { earliest: time.earliest, maxFutureMs: time.maxFutureMs });
}

/** The windows, as configured. */
export function makeWindows({ windows, time }: Configuration, registry: SeriesRegistry): WindowStage {
  return new WindowStage({
    windows: windows.map(({ name, series, window, aggregates }) => ({
      name,
      series,
      window: { tumblingMs: window.sizeMs, allowedLatenessMs: window.allowedLatenessMs },
      aggregates,
    })),
    time: { outOfOrdernessMs: time.outOfOrdernessMs, idleTimeoutMs: time.idleTimeoutMs },
    findSeries: (key) => registry.get(key),
  });
}

/** The detection, as configured. */
export function makeDetection({ detect }: Configuration, onAnomaly: () => void): DetectStage {
  return new DetectStage({ rules: detect, onAnomaly });
}
