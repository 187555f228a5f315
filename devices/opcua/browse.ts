import {
  BrowseDirection,
  browseAll,
  type ClientSession,
  NodeClassMask,
  type ReferenceDescription,
} from 'node-opcua-client';

/** A variable that a browse rule found. */
export interface FoundVariable {
  /** Its node id with the server's present namespace index. */
  readonly nodeId: string;
  /** The path from the rule's first wildcard on, or its last name where there is none. */
  readonly path: readonly string[];
}

/** Bounds of one walk, so that a server of any size cannot exhaust the gateway. */
export interface BrowseLimits {
  /** Nodes asked in one request; 0 is no limit of the server's. */
  readonly nodesPerRequest: number;
  /** At most this many variables are found. @default 20000 */
  readonly maxVariables?: number;
  /** How deep `**` goes. @default 16 */
  readonly maxDepth?: number;
}

const ROOT = 'i=84';
const HIERARCHICAL_REFERENCES = 'i=33';
const HAS_PROPERTY = 'i=46';
const RESULT_MASK = 63;
const NODES_PER_REQUEST = 100;
const VARIABLE = 2;

interface Place {
  readonly nodeId: string;
  readonly path: readonly string[];
  /** Which segments of the pattern may come next. */
  readonly at: readonly number[];
}

/**
 * Finds the variables along a pattern of browse names below the root. Names are compared without their namespace; `*` is one
 * name, `**` any number of them. Properties (units, ranges) are not followed. A node that is reached twice counts once.
 */
export async function browsePattern(
  session: ClientSession,
  pattern: string,
  limits: BrowseLimits,
): Promise<FoundVariable[]> {
  const segments = pattern.split('/').filter((segment) => segment !== '');
  const firstWild = segments.findIndex((segment) => segment.includes('*'));
  const kept = firstWild < 0 ? segments.length - 1 : firstWild;
  const { maxVariables = 20_000, maxDepth = 16 } = limits;
  const found = new Map<string, FoundVariable>();
  const seen = new Set<string>();
  let level: Place[] = [{ nodeId: ROOT, path: [], at: follow(segments, [0]) }];
  for (let depth = 0; level.length > 0 && depth < segments.length + maxDepth; depth++) {
    const below: Place[] = [];
    for (const { place, reference } of await childrenOf(session, level, limits)) {
      const name = reference.browseName.name ?? '';
      const nodeId = reference.nodeId.toString();
      const at = advance(segments, place.at, name);
      if (at.length === 0) continue;
      const path = [...place.path, name];
      if (at.includes(segments.length) && reference.nodeClass === VARIABLE && !found.has(nodeId)) {
        found.set(nodeId, { nodeId, path: path.slice(kept) });
        if (found.size >= maxVariables) return [...found.values()];
      }
      const key = `${nodeId} ${at.join()}`;
      if (!seen.has(key)) {
        seen.add(key);
        below.push({ nodeId, path, at });
      }
    }
    level = below;
  }
  return [...found.values()];
}

async function childrenOf(session: ClientSession, places: readonly Place[], limits: BrowseLimits) {
  const children: { place: Place; reference: ReferenceDescription }[] = [];
  const size = Math.min(NODES_PER_REQUEST, limits.nodesPerRequest || NODES_PER_REQUEST);
  for (let i = 0; i < places.length; i += size) {
    const asked = places.slice(i, i + size);
    const results = await browseAll(
      session,
      asked.map(({ nodeId }) => ({
        nodeId,
        browseDirection: BrowseDirection.Forward,
        referenceTypeId: HIERARCHICAL_REFERENCES,
        includeSubtypes: true,
        nodeClassMask: NodeClassMask.Object | NodeClassMask.Variable,
        resultMask: RESULT_MASK,
      })),
    );
    for (const [j, result] of results.entries()) {
      for (const reference of result.references ?? []) {
        if (reference.referenceTypeId.toString() !== `ns=0;${HAS_PROPERTY}`) {
          children.push({ place: asked[j]!, reference });
        }
      }
    }
  }
  return children;
}

/** Positions after a name: the segments that match it move on, `**` may also stay. */
function advance(segments: readonly string[], at: readonly number[], name: string): number[] {
  const next: number[] = [];
  for (const i of at) {
    const segment = segments[i];
    if (segment === '**') next.push(i, i + 1);
    else if (segment !== undefined && matches(segment, name)) next.push(i + 1);
  }
  return follow(segments, next);
}

/** With the positions that are reached without a name: behind a `**`, which may stand for nothing. */
function follow(segments: readonly string[], at: readonly number[]): number[] {
  const all = new Set(at);
  for (const i of all) if (segments[i] === '**' && i + 1 < segments.length) all.add(i + 1);
  return [...all].sort((a, b) => a - b);
}

function matches(segment: string, name: string): boolean {
  if (!segment.includes('*')) return segment === name;
  const source = segment.split('*').map((literal) => literal.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${source.join('.*')}$`, 's').test(name);
}
