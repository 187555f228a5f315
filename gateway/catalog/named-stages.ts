import type { Configuration } from '../../config/configuration.ts';
import type { TapStage } from '../core/inspection.ts';

/** The stages that a configuration names, in the order in which readings pass them, for those who watch. */
export function namedStages({ derive, join, windows, rollups, detect, together }: Configuration): readonly TapStage[] {
  const detectors = [...new Set([...detect, ...together].map(({ detector }) => detector))];
  return [
    ...derive.map(({ name }) => stage(`derive:${name}`, 'readings', `What ${name} derives from readings.`)),
    ...join.map(({ name }) => stage(`join:${name}`, 'readings', `What ${name} makes of two series.`)),
    ...windows.map(({ name }) => stage(`window:${name}`, 'results', `Results of the window ${name}.`)),
    ...rollups.map(({ name, from }) => stage(`rollup:${name}`, 'results', `Results of ${name}, made from ${from}.`)),
    ...detectors.map((name) => stage(`detect:${name}`, 'results', `Alarms of ${name}, raised, cleared, acknowledged.`)),
  ];
}

function stage(name: string, of: TapStage['of'], description: string): TapStage {
  return { name, of, description };
}
