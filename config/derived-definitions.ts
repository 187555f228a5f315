import type { DerivationConfiguration, JoinConfiguration } from './analysis-configuration.ts';
import type { DerivedDefinition } from './vocabulary.ts';

/** What a derivation reads and makes. */
export function definitionOfDerivation({ name, series, metric }: DerivationConfiguration): DerivedDefinition {
  return { source: `derive:${name}`, reads: [series], placedLike: series, metric };
}

/** What a join reads and makes: its series are placed like those of the left. */
export function definitionOfJoin({ name, left, right, metric }: JoinConfiguration): DerivedDefinition {
  return { source: `join:${name}`, reads: [left, right], placedLike: left, metric };
}
