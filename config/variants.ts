import type { SchemaNode } from './schema-node.ts';

/** The shape, of several that a group of keys may have, that knows most of the keys given, and of equals misses the fewest; the first of those. */
export function bestFit(variants: readonly SchemaNode[], keys: readonly string[]): SchemaNode | undefined {
  const known = ({ properties }: SchemaNode) => keys.filter((key) => Object.hasOwn(properties!, key)).length;
  const missing = ({ properties, required = [] }: SchemaNode) =>
    required.filter((key) => properties![key]?.default === undefined && !keys.includes(key)).length;
  return variants.reduce<SchemaNode | undefined>((best, variant) => {
    if (best === undefined) return variant;
    const more = known(variant) - known(best);
    return more > 0 || (more === 0 && missing(variant) < missing(best)) ? variant : best;
  }, undefined);
}

/** The key whose word tells the shapes apart (`type`, `detector`); undefined where there is none. */
export function tellingKey(variants: readonly SchemaNode[]): string | undefined {
  return Object.entries(variants[0]?.properties ?? {}).find(([, property]) => property.const !== undefined)?.[0];
}

/** The given keys that keep `key` from being understood, as they belong to another shape than the one that knows it. */
export function rivalsOf(
  key: string,
  schema: SchemaNode,
  variants: readonly SchemaNode[],
  keys: readonly string[],
): readonly string[] {
  const sibling = variants.find((variant) => sameWord(variant, schema) && Object.hasOwn(variant.properties!, key));
  if (sibling === undefined) return [];
  return keys.filter((other) => Object.hasOwn(schema.properties!, other) && !Object.hasOwn(sibling.properties!, other));
}

/** Every key that one of the shapes knows. */
export function knownKeys(variants: readonly SchemaNode[]): readonly string[] {
  return [...new Set(variants.flatMap((variant) => Object.keys(variant.properties!)))];
}

function sameWord(a: SchemaNode, b: SchemaNode): boolean {
  return Object.entries(a.properties!).every(
    ([key, { const: word }]) => word === undefined || b.properties?.[key]?.const === word,
  );
}
