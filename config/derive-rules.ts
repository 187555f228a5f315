import type { DerivationConfiguration } from './configuration.ts';
import type { Report } from './report.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Checks what derivations compute, and that none reads, directly or through others, what it derives. */
export function checkDerivations(
  derivations: readonly (DerivationConfiguration | undefined)[],
  vocabulary: Vocabulary,
  report: Report,
): void {
  derivations.forEach((derivation, index) => {
    const problem = derivation === undefined ? undefined : vocabulary.derivationProblem(derivation.value);
    if (problem !== undefined) report(`derive[${index}].value`, problem.message, problem.hint, problem.at);
  });
  const cycle = vocabulary.derivationCycle(derivations.filter((one) => one !== undefined));
  if (cycle === undefined) return;
  const index = derivations.findIndex((one) => `derive:${one?.name}` === cycle[0]);
  report(
    `derive[${index}].series`,
    `a cycle: ${cycle.join(' → ')}: each reads what the one before derives`,
    'name more narrowly what it reads, or give what it derives another metric',
  );
}
