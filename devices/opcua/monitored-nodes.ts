import {
  AttributeIds,
  type ClientMonitoredItemBase,
  ClientMonitoredItemGroup,
  type ClientSession,
  type ClientSubscription,
  coerceNodeId,
  DataChangeFilter,
  DataChangeTrigger,
  DeadbandType,
  type NodeId,
  readOperationLimits,
  TimestampsToReturn,
} from 'node-opcua-client';
import { messageOf } from '../../gateway/core/errors.ts';
import type { Intake } from '../../gateway/core/intake.ts';
import type { Series } from '../../gateway/core/reading.ts';
import { browsePattern } from './browse.ts';
import { type ParsedNodeId, parseNodeId, withIndex } from './node-id.ts';
import type { OpcuaBrowseRule, OpcuaNode, ResolvedOptions } from './options.ts';

/** A node that shall be read, and how that stands on this connection. */
export interface MonitoredNode {
  readonly node: OpcuaNode;
  readonly parsed: ParsedNodeId;
  series: Series | undefined;
  /** With the namespace's present index; set when the server has that namespace. */
  nodeId: NodeId | undefined;
  /** The server refused to filter this node's changes: it is subscribed as the server would do by itself. */
  unfiltered: boolean;
  item: ClientMonitoredItemBase | undefined;
  /** Why it is not read just now; undefined when it is. */
  problem: string | undefined;
}

/** Most monitored items created by one request. */
const CHUNK = 500;

const FILTER_REFUSED = /^Bad(FilterNotAllowed|MonitoredItemFilterUnsupported|DeadbandFilterInvalid)$/;

/**
 * The nodes of one connection: found, subscribed in chunks, and tried again while they are not there. A node that cannot be
 * read never keeps its neighbours from being read.
 */
export class MonitoredNodes {
  readonly #options: ResolvedOptions;
  readonly #intake: Intake;
  readonly #session: ClientSession;
  readonly #subscription: ClientSubscription;
  readonly #nodes: MonitoredNode[] = [];
  readonly #byItem = new WeakMap<ClientMonitoredItemBase, MonitoredNode>();
  /** Node ids with index that a browse rule need not add again. */
  readonly #known = new Set<string>();
  readonly #rules: readonly OpcuaBrowseRule[];
  readonly #emptyRules = new Set<OpcuaBrowseRule>();
  #namespaces: readonly string[] = [];
  #chunk = CHUNK;
  #nodesPerBrowse = 0;

  constructor(options: ResolvedOptions, intake: Intake, session: ClientSession, subscription: ClientSubscription) {
    this.#options = options;
    this.#intake = intake;
    this.#session = session;
    this.#subscription = subscription;
    this.#rules = options.nodes.filter((node) => 'browse' in node);
    for (const node of options.nodes) if (!('browse' in node)) this.#add(node);
  }

  get size(): number {
    return this.#nodes.length;
  }

  /** Nodes that are not read just now. */
  bad(): MonitoredNode[] {
    return this.#nodes.filter((node) => node.problem !== undefined);
  }

  /** Browse rules that have found no variable yet. */
  emptyRules(): OpcuaBrowseRule[] {
    return [...this.#emptyRules];
  }

  /** The node that a notification is about. */
  ofHandle(clientHandle: number): MonitoredNode | undefined {
    const item = this.#subscription.monitoredItems[clientHandle];
    return item === undefined ? undefined : this.#byItem.get(item);
  }

  /** Learns the server's limits and namespaces, finds what the rules mean, and subscribes everything. */
  async subscribe(signal: AbortSignal): Promise<void> {
    const limits = await readOperationLimits(this.#session);
    if (limits.maxMonitoredItemsPerCall) this.#chunk = Math.min(CHUNK, limits.maxMonitoredItemsPerCall);
    this.#nodesPerBrowse = limits.maxNodesPerBrowse ?? 0;
    await this.#browse(this.#rules);
    await this.retry(signal);
  }

  /** Looks again for nodes that were not there, and for rules that found nothing. */
  async retry(signal: AbortSignal): Promise<void> {
    this.#namespaces = await this.#session.readNamespaceArray();
    await this.#browse(this.emptyRules());
    await this.#createAll(this.bad(), signal);
    const refusedFilter = this.bad().filter((node) => !node.unfiltered && FILTER_REFUSED.test(node.problem ?? ''));
    for (const node of refusedFilter) node.unfiltered = true;
    await this.#createAll(refusedFilter, signal);
  }

  /** Looks for variables that have appeared below the rules. */
  async browseAgain(): Promise<void> {
    await this.#browse(this.#rules);
  }

  /** Gives a node up that the server says is gone; `retry` will look for it again. */
  async release(node: MonitoredNode, problem: string): Promise<void> {
    const item = node.item;
    node.item = undefined;
    node.problem = problem;
    if (item !== undefined) await item.terminate();
  }

  async #createAll(nodes: readonly MonitoredNode[], signal: AbortSignal): Promise<void> {
    for (const group of this.#groups(nodes)) {
      for (let i = 0; i < group.length && !signal.aborted; ) {
        const chunk = group.slice(i, i + this.#chunk);
        i += chunk.length;
        await this.#create(chunk, signal);
      }
    }
  }

  async #browse(rules: readonly OpcuaBrowseRule[]): Promise<void> {
    for (const rule of rules) {
      const found = await browsePattern(this.#session, rule.browse, { nodesPerRequest: this.#nodesPerBrowse });
      if (found.length === 0) this.#emptyRules.add(rule);
      else this.#emptyRules.delete(rule);
      const { device, deadband, samplingMs, queueSize } = rule;
      for (const { nodeId, path } of found) {
        if (this.#known.has(nodeId)) continue;
        this.#add({ id: nodeId, device, metric: path.join('.'), deadband, samplingMs, queueSize });
      }
    }
  }

  #add(node: OpcuaNode): void {
    this.#known.add(node.id);
    const parsed = parseNodeId(node.id);
    this.#nodes.push({
      node,
      parsed,
      series: undefined,
      nodeId: undefined,
      unfiltered: false,
      item: undefined,
      problem: 'not subscribed yet',
    });
  }

  /** Nodes that can share a request: with equal parameters, and an id that the server can know. */
  #groups(nodes: readonly MonitoredNode[]): MonitoredNode[][] {
    const groups = new Map<string, MonitoredNode[]>();
    for (const node of nodes) {
      if (!this.#ready(node)) continue;
      const key = JSON.stringify(this.#parametersOf(node));
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [node]);
      else group.push(node);
    }
    return [...groups.values()];
  }

  #ready(node: MonitoredNode): boolean {
    const { device, metric, unit } = node.node;
    const id = withIndex(node.parsed, this.#namespaces);
    if (id === undefined) {
      node.problem = `the server has no namespace ${node.parsed.namespaceUri}`;
      return false;
    }
    try {
      node.nodeId = coerceNodeId(id);
    } catch (error) {
      node.problem = `${id} is no node id: ${messageOf(error)}`;
      return false;
    }
    const series = node.series ?? this.#intake.series({ device, metric }, unit);
    if (typeof series === 'string') {
      node.problem = series;
      return false;
    }
    node.series = series;
    return true;
  }

  #parametersOf({ node, unfiltered }: MonitoredNode) {
    const { samplingMs = this.#options.samplingMs, queueSize = this.#options.queueSize, deadband = 0 } = node;
    return { samplingMs, queueSize, deadband, unfiltered };
  }

  /** Creates one chunk of items; halves it when the server refuses it as a whole. */
  async #create(nodes: readonly MonitoredNode[], signal: AbortSignal): Promise<void> {
    const { samplingMs, queueSize, deadband, unfiltered } = this.#parametersOf(nodes[0]!);
    const filter = new DataChangeFilter({
      trigger: DataChangeTrigger[this.#options.trigger],
      deadbandType: deadband > 0 ? DeadbandType.Absolute : DeadbandType.None,
      deadbandValue: deadband,
    });
    const group = ClientMonitoredItemGroup.create(
      this.#subscription,
      nodes.map(({ nodeId }) => ({ nodeId: nodeId!, attributeId: AttributeIds.Value })),
      { samplingInterval: samplingMs, queueSize, discardOldest: true, filter: unfiltered ? null : filter },
      TimestampsToReturn.Both,
    );
    // before the answer comes: the first values may arrive ahead of it
    for (const [i, item] of group.monitoredItems.entries()) this.#byItem.set(item, nodes[i]!);
    const refused = await created(group, signal);
    if (refused === undefined) {
      for (const [i, item] of group.monitoredItems.entries()) this.#settle(nodes[i]!, item);
      return;
    }
    if (nodes.length === 1 || signal.aborted || !this.#subscription.isActive) {
      for (const node of nodes) node.problem = refused;
      return;
    }
    const middle = Math.ceil(nodes.length / 2);
    this.#chunk = Math.min(this.#chunk, middle);
    await this.#create(nodes.slice(0, middle), signal);
    await this.#create(nodes.slice(middle), signal);
  }

  #settle(node: MonitoredNode, item: ClientMonitoredItemBase): void {
    if (item.statusCode.isGood()) {
      node.item = item;
      node.problem = undefined;
    } else {
      node.problem = item.statusCode.name;
    }
  }
}

/** Waits for the answer to a group's creation; why it was refused as a whole, or undefined. */
function created(group: ClientMonitoredItemGroup, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve) => {
    // the group says nothing at all when its subscription has gone before
    const gone = () => resolve('the connection was lost');
    if (signal.aborted) return gone();
    signal.addEventListener('abort', gone, { once: true });
    group.on('initialized', () => resolve(undefined));
    group.on('err', (message) => resolve(message));
    group.on('terminated', (error) => resolve(error?.message ?? 'the subscription was closed'));
  });
}
