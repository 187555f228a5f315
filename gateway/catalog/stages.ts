import type { Configuration } from '../../config/configuration.ts';
import type { SeriesRegistry } from '../base/series-registry.ts';
import { DetectStage } from '../detect/detect-stage.ts';
import { Normaliser } from '../pipeline/normalise.ts';
import { Reduction } from '../pipeline/reduction.ts';
import { WindowStage } from '../pipeline/windows/window-stage.ts';
import type { RecentReadings } from '../runtime/recent-readings.ts';
import type { StageSet } from '../runtime/stage-set.ts';

/** The check before the journal, as configured. */
export function makeNormaliser({ series, time }: Configuration): Normaliser {
  return new Normaliser(series, { earliest: time.earliest, maxFutureMs: time.maxFutureMs });
}

/** New windows and detectors, as configured; anomalies are marked in `recent`. */
export function makeStages(configuration: Configuration, registry: SeriesRegistry, recent: RecentReadings): StageSet {
  const windows = makeWindows(configuration, registry);
  const detection = new DetectStage({ rules: configuration.detect, onAnomaly: () => recent.markLastAsAnomaly() });
  return {
    gate: new Reduction(configuration.reduce, (key) => registry.get(key)),
    byName: { windows, detection },
    alarmDesk: {
      acknowledge: (id, time, emit) => detection.acknowledge(id, time, emit),
      get activeCount() {
        return detection.activeAlarms().length;
      },
    },
    watermarkOf: (series) => windows.watermarkOf(series),
  };
}

function makeWindows({ windows, time }: Configuration, registry: SeriesRegistry): WindowStage {
  return new WindowStage({
    windows: windows.map(({ name, series, window, aggregates, earlyMs, interpolation, maxGapMs }) => ({
      name,
      series,
      window,
      aggregates,
      earlyMs,
      course: { interpolation, maxGapMs },
    })),
    time: { outOfOrdernessMs: time.outOfOrdernessMs, idleTimeoutMs: time.idleTimeoutMs },
    findSeries: (key) => registry.get(key),
  });
}
