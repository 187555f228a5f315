import type { Stage } from '../core/stage.ts';
import type { StageSet } from './stage-set.ts';

/** Whatever of the stages has a snapshot, by the name it is kept under, in the order of their restoration: series are derived before windows ask for them. */
export function snapshotParts(stages: StageSet): readonly (readonly [string, Pick<Stage, 'snapshot' | 'restore'>])[] {
  const { tables, gate, derivers, byName, maintenance } = stages;
  return [
    ['tables', tables],
    ['maintenance', maintenance],
    ['reduction', gate],
    ...derivers.map((deriver) => [deriver.source, deriver] as const),
    ...Object.entries(byName),
  ];
}
