import { type Document, isAlias, isMap, isScalar, isSeq, type LineCounter, type Node, type YAMLMap } from 'yaml';
import { expand, unshield } from './environment.ts';
import { nearest, type Problem, quoted } from './problems.ts';
import { checkScalar, type ScalarContext } from './scalar-checks.ts';
import type { SchemaNode } from './schema-node.ts';
import { DURATION_HELP } from './units.ts';
import { bestFit, knownKeys, rivalsOf, tellingKey } from './variants.ts';
import { describe, isNothing, type Member } from './yaml-nodes.ts';

/** Most nodes that are visited, aliases unfolded, so that anchors cannot blow a small file up. */
const MAX_NODES = 100_000;
const MAX_DEPTH = 32;

/**
 * Walks a YAML document along a schema: collects every problem with its place, fills in defaults, and converts texts with a unit.
 * Invalid members are left out of the result, so that further rules can look at the rest.
 */
export class Checker {
  readonly problems: Problem[] = [];
  /** The node of each path that was seen, for rules that compare several keys. */
  readonly #nodes = new Map<string, Node>();
  readonly #document: Document;
  readonly #lines: LineCounter;
  readonly #context: ScalarContext;
  #visited = 0;

  constructor(document: Document, lines: LineCounter, context: ScalarContext) {
    this.#document = document;
    this.#lines = lines;
    this.#context = context;
  }

  /** The value of the whole document. */
  check(schema: SchemaNode): unknown {
    return this.#check(schema, this.#document.contents, '', 0);
  }

  /** Reports a problem at a path that was seen, `offset` code units into the text there, or at the nearest seen one above it. */
  report(path: string, message: string, hint?: string, offset?: number): void {
    let seen = path;
    while (seen !== '' && !this.#nodes.has(seen)) seen = seen.replace(/(^|\.)[^.[\]]*$|\[\d+\]$/, '');
    const node = this.#nodes.get(seen);
    this.#problem(node, path, message, hint, offset === undefined || seen !== path ? 0 : offsetIn(node, offset));
  }

  #problem(at: Node | null | undefined, path: string, message: string, hint?: string, offset = 0): void {
    const { line, col } = this.#lines.linePos((at?.range?.[0] ?? 0) + offset);
    this.problems.push({ line: Math.max(line, 1), column: Math.max(col, 1), path, message, hint });
  }

  #check(schema: SchemaNode, given: Node | null | undefined, path: string, depth: number): unknown {
    const node = isAlias(given) ? given.resolve(this.#document) : given;
    if (given) this.#nodes.set(path, given);
    if (isAlias(given) && node === undefined) {
      const hint = 'put the anchor (&name) before the alias (*name), or put a text that begins with * in quotes';
      this.#problem(given, path, `no anchor ${quoted(given.source)} stands before this alias`, hint);
      return undefined;
    }
    if (++this.#visited > MAX_NODES || depth > MAX_DEPTH) {
      const tooMuch = `the file is nested deeper than ${MAX_DEPTH} levels or has more than ${MAX_NODES} values`;
      if (!this.problems.some(({ message }) => message === tooMuch))
        this.#problem(given, path, tooMuch, 'look for anchors (&) that contain aliases (*)');
      return undefined;
    }
    if (schema.headgate === 'secret' && isMap(node)) return this.#secretFile(schema, node, path, depth);
    if (schema.properties !== undefined) return this.#object([schema], node, path, depth);
    if (schema.patternProperties !== undefined) return this.#record(schema, node, path, depth);
    if (schema.items !== undefined) return this.#list(schema, node, path, depth);
    if (schema.anyOf?.every((variant) => variant.properties !== undefined))
      return this.#object(schema.anyOf, node, path, depth);
    return this.#scalar(schema, node, path);
  }

  #secretFile(schema: SchemaNode, node: YAMLMap, path: string, depth: number): unknown {
    const form = schema.anyOf!.find((variant) => variant.properties !== undefined)!;
    const checked = this.#object([form], node, path, depth) as { file?: string } | undefined;
    if (checked?.file === undefined) return undefined;
    const read = this.#context.readSecret(checked.file);
    if ('value' in read) return read.value;
    this.report(`${path}.file`, read.problem, read.hint);
    return undefined;
  }

  #object(variants: readonly SchemaNode[], node: Node | null | undefined, path: string, depth: number): unknown {
    if (!isMap(node)) {
      this.#problem(
        node,
        path,
        `must be a group of keys: got ${describe(node)}`,
        `keys: ${knownKeys(variants).join(', ')}`,
      );
      return undefined;
    }
    const members = this.#members(node, path);
    const schema = this.#variant(variants, members, node, path);
    if (schema === undefined) return undefined;
    const properties = schema.properties!;
    for (const [key, { keyNode }] of members) {
      if (!Object.hasOwn(properties, key)) this.#unknownKey(key, keyNode, schema, variants, members, path);
    }
    const entries: [string, unknown][] = [];
    for (const [key, property] of Object.entries(properties)) {
      const value = this.#member(key, property, schema, members.get(key), node, path, depth);
      if (value !== undefined) entries.push([key, value]);
    }
    return Object.fromEntries(entries);
  }

  #member(
    key: string,
    property: SchemaNode,
    owner: SchemaNode,
    member: Member | undefined,
    ownerNode: Node,
    path: string,
    depth: number,
  ): unknown {
    const at = join(path, key);
    if (member?.keyNode) this.#nodes.set(at, member.keyNode);
    if (member !== undefined && !isNothing(member.value)) return this.#check(property, member.value, at, depth + 1);
    if (property.default !== undefined) return this.#default(property, at);
    if (owner.required?.includes(key)) {
      const empty = member === undefined ? 'is missing' : 'is empty';
      this.#problem(member?.keyNode ?? (path === '' ? undefined : ownerNode), at, empty, helpOf(property));
    }
    return undefined;
  }

  /** A default is written as it would stand in the file, so it goes the same way. */
  #default(schema: SchemaNode, path: string): unknown {
    if (schema.properties !== undefined) {
      const entries = Object.entries(schema.properties).map(([key, property]) => [
        key,
        property.default === undefined ? undefined : this.#default(property, join(path, key)),
      ]);
      return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
    }
    if (schema.items !== undefined || schema.patternProperties !== undefined) return schema.default;
    const checked = checkScalar(schema, schema.default, false, this.#context);
    if (!('value' in checked)) throw new Error(`The default of ${path} is invalid: ${checked.problem}`);
    return checked.value;
  }

  #members(node: YAMLMap, path: string): Map<string, Member> {
    const members = new Map<string, Member>();
    for (const pair of node.items) {
      const keyNode = pair.key as Node;
      if (!isScalar(keyNode)) {
        this.#problem(keyNode, path, 'a key must be a plain word');
        continue;
      }
      members.set(unshield(String(keyNode.value)), { keyNode, value: pair.value as Node | null });
    }
    return members;
  }

  /** The one of several shapes that the keys fit best: by the words that tell them apart (`type`, `detector`), then by the keys. */
  #variant(
    variants: readonly SchemaNode[],
    members: Map<string, Member>,
    node: Node,
    path: string,
  ): SchemaNode | undefined {
    const keys = [...members.keys()];
    const word = tellingKey(variants);
    if (word === undefined) return bestFit(variants, keys);
    const allowed = [...new Set(variants.map((variant) => String(variant.properties?.[word]?.const)))];
    const member = members.get(word);
    if (member === undefined || isNothing(member.value)) {
      this.#problem(member?.keyNode ?? node, join(path, word), 'is missing', `allowed: ${allowed.join(', ')}`);
      return undefined;
    }
    const value = isScalar(member.value) ? member.value.value : undefined;
    const fitting = variants.filter((variant) => variant.properties?.[word]?.const === value);
    if (fitting.length > 0) return bestFit(fitting, keys);
    const near = typeof value === 'string' ? nearest(value, allowed) : undefined;
    this.#problem(
      member.value,
      join(path, word),
      `unknown ${word} ${isScalar(member.value) ? quoted(value) : describe(member.value)}${near === undefined ? '' : `, did you mean ${near}?`}`,
      `allowed: ${allowed.join(', ')}`,
    );
    return undefined;
  }

  #unknownKey(
    key: string,
    keyNode: Node,
    schema: SchemaNode,
    variants: readonly SchemaNode[],
    members: Map<string, Member>,
    path: string,
  ): void {
    const at = join(path, key);
    const allowed = Object.keys(schema.properties!);
    const rivals = rivalsOf(key, schema, variants, [...members.keys()]);
    if (rivals.length > 0) {
      this.#problem(
        keyNode,
        at,
        `${key} does not go together with ${rivals.join(', ')}`,
        `leave out ${key}, or ${rivals.join(' and ')}`,
      );
      return;
    }
    const near = nearest(key, allowed);
    this.#problem(
      keyNode,
      at,
      `unknown key ${quoted(key)}${near === undefined ? '' : `, did you mean ${near}?`}`,
      `allowed: ${allowed.join(', ')}`,
    );
  }

  #record(schema: SchemaNode, node: Node | null | undefined, path: string, depth: number): unknown {
    if (!isMap(node)) {
      this.#problem(node, path, `must be a group of names with values: got ${describe(node)}`);
      return undefined;
    }
    const value = Object.values(schema.patternProperties!)[0]!;
    const entries: [string, unknown][] = [];
    for (const [key, member] of this.#members(node, path)) {
      if (isNothing(member.value)) {
        this.#problem(member.keyNode, join(path, key), 'is empty', helpOf(value));
        continue;
      }
      const checked = this.#check(value, member.value, join(path, key), depth + 1);
      if (checked !== undefined) entries.push([key, checked]);
    }
    return Object.fromEntries(entries);
  }

  /** Invalid items stay in the list as undefined, so that the others keep their index. */
  #list(schema: SchemaNode, node: Node | null | undefined, path: string, depth: number): unknown {
    if (schema.headgate === 'one-or-more' && isScalar(node)) {
      const only = this.#check(schema.items!, node, path, depth + 1);
      return only === undefined ? undefined : [only];
    }
    if (!isSeq(node)) {
      this.#problem(node, path, `must be a list: got ${describe(node)}`, 'begin each item with "- "');
      return undefined;
    }
    if (node.items.length < (schema.minItems ?? 0)) this.#problem(node, path, 'is empty', helpOf(schema));
    return node.items.map((item, index) =>
      this.#check(schema.items!, item as Node | null, `${path}[${index}]`, depth + 1),
    );
  }

  #scalar(schema: SchemaNode, node: Node | null | undefined, path: string): unknown {
    if (!isScalar(node)) {
      this.#problem(node, path, `must be a single value: got ${describe(node)}`, helpOf(schema));
      return undefined;
    }
    let value = typeof node.value === 'string' ? unshield(node.value) : node.value;
    let substituted = false;
    if (typeof value === 'string' && value.includes('${')) {
      const expanded = expand(value, this.#context.environment);
      if ('problem' in expanded) {
        this.#problem(node, path, expanded.problem, expanded.hint);
        return undefined;
      }
      ({ text: value, substituted } = expanded);
    }
    const checked = checkScalar(schema, value, substituted, this.#context);
    if ('value' in checked) return checked.value;
    this.#problem(node, path, checked.problem, checked.hint);
    return undefined;
  }
}

/** Where a place in a text lies from the beginning of its node: beyond the quote; 0 where the text stands there in another form. */
function offsetIn(node: Node | undefined, offset: number): number {
  if (!isScalar(node) || typeof node.value !== 'string' || node.range == null) return 0;
  const quote = node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE' ? 1 : 0;
  return node.range[1] - node.range[0] === node.value.length + 2 * quote ? quote + offset : 0;
}

function helpOf(schema: SchemaNode): string | undefined {
  if (schema.enum !== undefined) return `allowed: ${schema.enum.join(', ')}`;
  if (schema.headgate?.endsWith('duration')) return `${schema.description ?? 'a length of time'}; ${DURATION_HELP}`;
  return schema.description;
}

function join(path: string, key: string): string {
  const part = /^[\w-]+$/.test(key) ? key : JSON.stringify(key);
  return path === '' ? part : `${path}.${part}`;
}
