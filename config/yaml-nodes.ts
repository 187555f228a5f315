import { isMap, isScalar, isSeq, type Node } from 'yaml';

/** A key of a YAML mapping, with what stands behind it. */
export interface Member {
  readonly keyNode: Node;
  readonly value: Node | null;
}

/** `key:` with nothing behind it counts as not given: what is below is often commented out. */
export function isNothing(node: Node | null): boolean {
  return node === null || (isScalar(node) && (node.value === null || node.value === undefined));
}

/** What a node is, in words for a person. */
export function describe(node: Node | null | undefined): string {
  if (isMap(node)) return 'a group of keys';
  if (isSeq(node)) return 'a list';
  return node === null || node === undefined || isNothing(node) ? 'nothing' : 'a single value';
}
