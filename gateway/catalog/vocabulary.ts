import type { Vocabulary } from '../../config/schema.ts';
import { GatewayError } from '../core/errors.ts';
import type { DetectorOptions } from '../detect/detectors/detector-kind.ts';
import { detectorFactory, detectorKinds } from '../detect/detectors/detectors.ts';
import { Maintenance } from '../detect/maintenance/maintenance.ts';
import { jointDetectorKinds } from '../detect/together/joint-detectors.ts';
import { checkTogether } from '../detect/together/together-rule.ts';
import {
  AggregatePlan,
  aggregateNames,
  aggregatePatterns,
  allowedAggregates,
} from '../pipeline/aggregate/aggregates.ts';
import { findCycle } from '../pipeline/derive/dependencies.ts';
import { DERIVATION_NAMES } from '../pipeline/derive/derivation.ts';
import { Expression } from '../pipeline/derive/expression.ts';
import { checkJoin, JOIN_AGGREGATES, JOIN_NAMES } from '../pipeline/join/join-definition.ts';
import { reductionRule } from '../pipeline/reduction/reduction-rule.ts';
import { requireNesting } from '../pipeline/windows/nesting.ts';
import { checkOrderedShape, isOrderedShape, requireOrderedAggregate } from '../pipeline/windows/ordered-definition.ts';
import { checkedWindow, checkOpenWindows } from '../pipeline/windows/window-definition.ts';

/** The names that a configuration may use, from the rooms that define them. */
export const vocabulary: Vocabulary = {
  aggregateNames,
  aggregatePatterns,
  allowedAggregates,
  checkWindow: (shape, latenessMs) =>
    isOrderedShape(shape) ? checkOrderedShape(shape) : checkOpenWindows(checkedWindow(shape), latenessMs),
  checkAggregate: (shape, aggregate) => {
    if (isOrderedShape(shape)) requireOrderedAggregate(shape, aggregate);
  },
  checkNesting: requireNesting,
  mergingProblem: (kept, whole) => {
    const [window = [], ...rollups] = kept;
    try {
      const parts = rollups.reduce((from, names) => new AggregatePlan(names, {}, from), new AggregatePlan(window));
      return parts.mergingProblem(whole);
    } catch (error) {
      // What the others say of themselves is told where they stand.
      if (error instanceof GatewayError) return undefined;
      throw error;
    }
  },
  checkReduction: reductionRule,
  checkMaintenance: (plan) => void new Maintenance([plan]),
  joinAggregates: JOIN_AGGREGATES,
  expressionProblem: (of, value, tables) => {
    const names = of === 'join' ? JOIN_NAMES : DERIVATION_NAMES;
    const made = Expression.compile(value, { ...names, ...tables });
    return made instanceof Expression ? undefined : made;
  },
  checkJoin,
  derivedCycle: findCycle,
  detectors: detectorKinds.map((kind) => ({
    ...kind,
    factory: (options: DetectorOptions) => detectorFactory(kind.name, options),
  })),
  jointDetectors: jointDetectorKinds,
  checkTogether,
};
