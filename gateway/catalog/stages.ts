import type { WindowConfiguration } from '../../config/analysis-configuration.ts';
import type { Configuration } from '../../config/configuration.ts';
import { definitionOfDerivation, definitionOfJoin } from '../../config/derived-definitions.ts';
import type { SeriesRegistry } from '../base/series-registry.ts';
import type { Series } from '../core/reading.ts';
import type { Deriver } from '../core/stage.ts';
import { AlarmDesk } from '../detect/alarms/alarm-desk.ts';
import { DetectStage } from '../detect/detect-stage.ts';
import { Maintenance } from '../detect/maintenance/maintenance.ts';
import { TogetherStage } from '../detect/together/together-stage.ts';
import { byDependency } from '../pipeline/derive/dependencies.ts';
import { Derivation, type SeriesAccess } from '../pipeline/derive/derivation.ts';
import { Tables } from '../pipeline/enrich/tables.ts';
import { Join } from '../pipeline/join/join.ts';
import { Normaliser } from '../pipeline/normalise.ts';
import { Reduction } from '../pipeline/reduction/reduction.ts';
import type { ComputationSettings } from '../pipeline/windows/computation.ts';
import { isOrderedShape } from '../pipeline/windows/ordered-definition.ts';
import { OrderedWindowStage } from '../pipeline/windows/ordered-window-stage.ts';
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
  const orderedWindows = makeOrderedWindows(configuration, registry);
  /** Who knows how far a series has come. */
  const timekeeperOf = (series: Series) =>
    !windows.uses(series) && orderedWindows.uses(series) ? orderedWindows : windows;
  const maintenance = new Maintenance(configuration.maintenance);
  const detection = new DetectStage({
    rules: configuration.detect,
    maintenance,
    findSeries: (key) => registry.get(key),
    onAnomaly: (reading) => recent.markAnomaly(reading),
  });
  const together = new TogetherStage({
    rules: configuration.together,
    maintenance,
    findSeries: (key) => registry.get(key),
    onAnomaly: (reading) => recent.markAnomaly(reading),
  });
  const tables = new Tables(configuration.tables);
  return {
    tables,
    gate: new Reduction({
      rules: configuration.reduce,
      findSeries: (key) => registry.get(key),
      idleTimeoutMs: configuration.time.idleTimeoutMs,
    }),
    derivers: makeDerivers(configuration, registry, tables),
    byName: { windows, orderedWindows, detection, together },
    alarmDesk: new AlarmDesk({
      ...configuration.alarms,
      gateway: configuration.gateway.name,
      activeAlarms: () => [...detection.activeAlarms(), ...together.activeAlarms()],
      dismiss: (raised) => detection.dismiss(raised) ?? together.dismiss(raised),
      // Each detector and each group has one alarm at the most.
      maxActive: (maxSeries) =>
        [...detection.bounds(maxSeries), ...together.bounds()]
          .filter(({ unit }) => unit === 'detectors' || unit === 'groups')
          .reduce((sum, { max }) => sum + max, 0),
      isOutOfService: (series, time) => maintenance.covers(series, time),
    }),
    maintenance,
    watermarkOf: (series) => timekeeperOf(series).watermarkOf(series),
    windowsAt: (series, time) => [...windows.windowsAt(series, time), ...orderedWindows.windowsAt(series, time)],
    outOfOrdernessOf: (series) => timekeeperOf(series).outOfOrdernessOf(series),
  };
}

/** Each after those whose readings it takes: what these give as the clock is set back comes to it before it takes note of that itself. */
function makeDerivers(
  { derive, join, time }: Configuration,
  registry: SeriesRegistry,
  tables: Tables,
): readonly Deriver[] {
  const access: SeriesAccess = {
    find: (key) => registry.get(key),
    derive: (identity, unit) => registry.derive(identity, unit),
    tables,
  };
  const { outOfOrdernessMs, maxOutOfOrdernessMs } = time;
  const makers = [
    ...derive.map((settings) => ({
      ...definitionOfDerivation(settings),
      make: () => new Derivation(settings, access),
    })),
    ...join.map((settings) => ({
      ...definitionOfJoin(settings),
      make: () => new Join({ ...settings, outOfOrdernessMs, maxOutOfOrdernessMs }, access),
    })),
  ];
  return byDependency(makers).map(({ make }) => make());
}

function makeWindows({ windows, rollups, time }: Configuration, registry: SeriesRegistry): WindowStage {
  return new WindowStage({
    windows: windows.flatMap((one) =>
      isOrderedShape(one.window) ? [] : [{ ...computationOf(one), window: one.window }],
    ),
    rollups,
    time,
    findSeries: (key) => registry.get(key),
  });
}

function makeOrderedWindows({ windows, time }: Configuration, registry: SeriesRegistry): OrderedWindowStage {
  return new OrderedWindowStage({
    windows: windows.flatMap((one) =>
      isOrderedShape(one.window) ? [{ ...computationOf(one), window: one.window }] : [],
    ),
    time,
    findSeries: (key) => registry.get(key),
  });
}

function computationOf(window: WindowConfiguration): ComputationSettings {
  const { name, series, aggregates, earlyMs, late, interpolation, maxGapMs } = window;
  return { name, series, aggregates, earlyMs, late, course: { interpolation, maxGapMs } };
}
