import type { DetectorOption } from '../gateway/core/detector.ts';
import type { PlannedMaintenance } from '../gateway/core/maintenance.ts';
import type { TableContent } from '../gateway/core/table.ts';
import type {
  JoinConfiguration,
  OrderedShape,
  ReductionConfiguration,
  RollupShape,
  WindowShape,
} from './analysis-configuration.ts';
import type { TogetherConfiguration } from './detect-configuration.ts';

/**
 * What the file may name. The rooms do not know each other, so the front door says it; the shapes are those of the rooms.
 */
export interface Vocabulary {
  /** Names of aggregates. */
  readonly aggregateNames: readonly string[];
  /** Sources of regular expressions for the aggregates with a number in their name, as p95. */
  readonly aggregatePatterns: readonly string[];
  /** All names an aggregate can have, for a person. */
  readonly allowedAggregates: string;
  /** Throws a `GatewayError` where there can be no such windows, or too many would be open as readings come so late, in milliseconds. */
  readonly checkWindow: (shape: WindowShape | OrderedShape, latenessMs: number) => void;
  /** Throws a `GatewayError` where windows of that shape cannot have the aggregate. */
  readonly checkAggregate: (shape: WindowShape | OrderedShape, aggregate: string) => void;
  /** Throws a `GatewayError` where a window of one shape does not lie in exactly one of the other. */
  readonly checkNesting: (part: WindowShape | OrderedShape, whole: RollupShape) => void;
  /** Why aggregates cannot be had by merging; `kept` are those of the window, and of each rollup between. Undefined where they can, or `kept` cannot. */
  readonly mergingProblem: (
    kept: readonly (readonly string[])[],
    whole: readonly string[],
  ) => VocabularyProblem | undefined;
  /** Throws a `GatewayError` where a rule of the reduction is not allowed. */
  readonly checkReduction: (rule: ReductionConfiguration) => void;
  /** Throws a `GatewayError` where a planned maintenance cannot be. */
  readonly checkMaintenance: (plan: PlannedMaintenance) => void;
  /** What a side of a window join can come to. */
  readonly joinAggregates: readonly string[];
  /** Why the expression of a derivation or a join cannot be used, beside columns of tables by their types; undefined where it can. */
  readonly expressionProblem: (
    of: 'derivation' | 'join',
    value: string,
    tables: Readonly<Record<string, TableContent['columns']>>,
  ) => ExpressionProblem | undefined;
  /** Throws a `GatewayError` where there can be no such join. */
  readonly checkJoin: (join: Pick<JoinConfiguration, 'name' | 'left' | 'right' | 'on' | 'kind'>) => void;
  /** The sources of definitions that each read what the one before derives, the first one again at the end; undefined where there are none. */
  readonly derivedCycle: (definitions: readonly DerivedDefinition[]) => readonly string[] | undefined;
  readonly detectors: readonly DetectorWords[];
  /** Those that judge several series together. */
  readonly jointDetectors: readonly JointDetectorWords[];
  /** Throws a `GatewayError` where there can be no such rule. */
  readonly checkTogether: (rule: Pick<TogetherConfiguration, 'together' | 'on'>) => void;
}

/** What is wrong, and what is allowed, as sentences. */
export interface VocabularyProblem {
  readonly message: string;
  readonly hint: string | undefined;
}

/** A derivation or a join, as what reads and makes series. */
export interface DerivedDefinition {
  /** `derive:` or `join:` and its name. */
  readonly source: string;
  /** Patterns of the series it reads. */
  readonly reads: readonly string[];
  /** Pattern of the series whose device and site the derived series has. */
  readonly placedLike: string;
  readonly metric: string;
}

/** What is wrong with an expression: a sentence, what is allowed, and where, in UTF-16 code units from its beginning. */
export interface ExpressionProblem {
  readonly message: string;
  readonly hint: string;
  readonly at: number;
}

/** A detector of several series as the configuration knows it. */
export interface JointDetectorWords {
  readonly name: string;
  readonly description: string;
  /** One whose name ends in `Ms` stands in the file without the `Ms`, as a duration. */
  readonly options: Readonly<Record<string, DetectorOption>>;
}

/** A detector of single series as the configuration knows it. */
export interface DetectorWords extends JointDetectorWords {
  /** True when it cannot say that an anomaly lasts: its alarms cannot be delayed. */
  readonly onsetOnly: boolean;
  /** Throws a `GatewayError` where the options do not fit each other. */
  readonly factory: (options: Readonly<Record<string, number | string>>) => unknown;
}
