import { MAX_NAME_LENGTH, unfitName } from '../gateway/base/series-registry.ts';
import type { TableContent } from '../gateway/core/table.ts';
import type { DerivationConfiguration, JoinConfiguration } from './analysis-configuration.ts';
import { definitionOfDerivation, definitionOfJoin } from './derived-definitions.ts';
import { knownTags } from './known-tags.ts';
import { quoted } from './problems.ts';
import { type Partly, type Report, reportError } from './report.ts';
import { derivationOf, joinOf } from './resolve.ts';
import type { CheckedFile } from './schema.ts';
import type { ReadTables } from './table-rules.ts';
import type { DerivedDefinition, Vocabulary } from './vocabulary.ts';

type PartlyFile = Partly<CheckedFile>;

/** What is derived from readings: undefined where an item is not whole. */
interface Derived {
  readonly derive: readonly (DerivationConfiguration | undefined)[];
  readonly join: readonly (JoinConfiguration | undefined)[];
}

/** Checks what derivations and joins compute, and that none reads, directly or through others, what it derives. */
export function checkDerived(file: PartlyFile, tables: ReadTables, vocabulary: Vocabulary, report: Report): void {
  // With one that could not be read, what an expression names of it is not known.
  const areRead = tables.size === (file.tables?.length ?? 0);
  const expressions = { types: areRead ? typesOf(tables) : undefined, vocabulary, report };
  const idleTimeoutMs = file.time?.idleTimeout ?? 1;
  const derive = (file.derive ?? []).map(wholeDerivation);
  const join = (file.join ?? []).map((one) => wholeJoin(one, idleTimeoutMs));
  const tags = knownTags(file);
  file.tables?.forEach((table, index) => {
    if (table?.key !== undefined) checkOn(table.key, tags, `tables[${index}].key`, report);
  });
  derive.forEach((derivation, index) => {
    if (derivation === undefined) return;
    checkMetric(derivation.metric, `derive[${index}]`, report);
    checkExpression('derivation', derivation.value, `derive[${index}]`, expressions);
  });
  join.forEach((one, index) => {
    if (one === undefined) return;
    const path = `join[${index}]`;
    checkMetric(one.metric, path, report);
    checkExpression('join', one.value, path, expressions);
    reportError(path, report, () => vocabulary.checkJoin(one));
    for (const name of one.on) checkOn(name, tags, `${path}.on`, report);
  });
  checkCycle({ derive, join }, vocabulary, report);
}

interface ExpressionCheck {
  /** Undefined where they are not known. */
  readonly types: Readonly<Record<string, TableContent['columns']>> | undefined;
  readonly vocabulary: Vocabulary;
  readonly report: Report;
}

function typesOf(tables: ReadTables): Readonly<Record<string, TableContent['columns']>> {
  return Object.fromEntries([...tables].map(([name, { columns }]) => [name, columns]));
}

function checkExpression(
  of: 'derivation' | 'join',
  value: string,
  path: string,
  { types, vocabulary, report }: ExpressionCheck,
): void {
  if (types === undefined) return;
  const problem = vocabulary.expressionProblem(of, value, types);
  if (problem !== undefined) report(`${path}.value`, problem.message, problem.hint, problem.at);
}

function checkMetric(metric: string, path: string, report: Report): void {
  const unfit = unfitName('metric', metric);
  if (unfit !== undefined) report(`${path}.metric`, unfit, `up to ${MAX_NAME_LENGTH} characters that can be seen`);
}

function checkOn(name: string, tags: ReadonlySet<string> | undefined, path: string, report: Report): void {
  if (name === 'device' || tags === undefined || tags.has(name)) return;
  const known = ['device', ...[...tags].sort()].join(', ');
  report(
    path,
    `no series has a tag ${quoted(name)}: no source gives it`,
    `allowed: ${known}; name a tag in a template or under tags of a rule, or, where it comes over the API only, under tags of an entry of series`,
  );
}

function checkCycle({ derive, join }: Derived, vocabulary: Vocabulary, report: Report): void {
  const places = new Map<string, string>();
  const definitions: DerivedDefinition[] = [];
  derive.forEach((one, index) => {
    if (one === undefined) return;
    const definition = definitionOfDerivation(one);
    places.set(definition.source, `derive[${index}].series`);
    definitions.push(definition);
  });
  join.forEach((one, index) => {
    if (one === undefined) return;
    const definition = definitionOfJoin(one);
    places.set(definition.source, `join[${index}].left`);
    definitions.push(definition);
  });
  const cycle = vocabulary.derivedCycle(definitions);
  if (cycle === undefined) return;
  report(
    places.get(cycle[0]!)!,
    `a cycle: ${cycle.join(' → ')}: each reads what the one before derives`,
    'name more narrowly what it reads, or give what it derives another metric',
  );
}

function wholeDerivation(derivation: NonNullable<PartlyFile['derive']>[number]): DerivationConfiguration | undefined {
  if (derivation?.name === undefined || derivation.series === undefined || derivation.value === undefined)
    return undefined;
  return derivationOf(derivation as CheckedFile['derive'][number]);
}

function wholeJoin(
  join: NonNullable<PartlyFile['join']>[number],
  idleTimeoutMs: number,
): JoinConfiguration | undefined {
  if (join === undefined || join.on?.length === 0) return undefined;
  const given = Object.entries(join)
    .filter(([, value]) => value !== undefined)
    .map(([key]) => key);
  const needed = ['name', 'left', 'right', 'on', 'value'];
  if (!needed.every((key) => given.includes(key)) || !given.some((key) => ['within', 'asOf', 'tumbling'].includes(key)))
    return undefined;
  return joinOf(join as CheckedFile['join'][number], idleTimeoutMs);
}
