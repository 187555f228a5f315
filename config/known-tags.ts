import type { Partly } from './report.ts';
import type { CheckedFile } from './schema.ts';

type PartlySource = NonNullable<NonNullable<Partly<CheckedFile>['sources']>[number]>;
type Rules = Extract<CheckedFile['sources'][number], { readings: unknown }>['readings'];

/** Words of a template that name no tag. */
const NO_TAGS = new Set(['_', 'device', 'metric']);

/**
 * The tags that series can have by the rules of the sources, and those that entries of `series` name; undefined where they can have any: with a rule for
 * line protocol, and where all comes over the API, which takes it too.
 */
export function knownTags({ sources = [], series = [] }: Partly<CheckedFile>): ReadonlySet<string> | undefined {
  if (sources.length === 0) return undefined;
  const tags = new Set<string>(['site']);
  for (const entry of series) for (const name of entry?.tags ?? []) if (name !== undefined) tags.add(name);
  for (const source of sources) {
    for (const rule of source === undefined ? [] : rulesOf(source)) {
      if (rule?.line !== undefined) return undefined;
      for (const name of Object.keys(rule?.tags ?? {})) tags.add(name);
      for (const word of rule?.template?.split('/') ?? []) tags.add(word.replace(/\*$/, ''));
    }
  }
  for (const word of NO_TAGS) tags.delete(word);
  return tags;
}

function rulesOf(source: PartlySource): NonNullable<Partly<Rules>> {
  return 'readings' in source ? ((source.readings ?? []) as NonNullable<Partly<Rules>>) : [];
}
