/** What each test of a stage of windows begins with: a plant of its own, and no results. */
import { beforeEach } from 'vitest';
import type { Aggregate, Result } from '../../../../gateway/core/result.ts';
import { Plant } from '../make-reading.ts';

/** The plant of the test that runs. */
export let plant: Plant;
/** What windows have given in it. */
export let results: Aggregate[];

beforeEach(() => {
  renewPlant();
  results = [];
});

/** Takes results of windows. */
export const emit = (result: Result): void => {
  if (result.kind === 'aggregate') results.push(result);
};

/** A plant in which series get other numbers, as after a restart. */
export function renewPlant(): void {
  plant = new Plant();
}
