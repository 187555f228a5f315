import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  coerceStatusCode,
  DataType,
  DataValue,
  MessageSecurityMode,
  type MonitoredItem,
  type Namespace,
  nodesets,
  OPCUACertificateManager,
  OPCUAServer,
  SecurityPolicy,
  StatusCodes,
  type UAObject,
  type UAVariable,
  Variant,
  VariantArrayType,
} from 'node-opcua';
import { wallMs } from './time.ts';

/** URI of the namespace in which a simulated server has its variables. */
export const NAMESPACE_URI = 'urn:headgate:plant';

/** What a simulated server may be told. */
export interface OpcuaServerOptions {
  /** @default 127.0.0.1 */
  readonly host?: string;
  /** 0 picks a free one. @default 0 */
  readonly port?: number;
  /** Folder of its keys and certificates, made when missing. @default a temporary one, removed at the end */
  readonly pkiPath?: string;
  /** Also offer Basic256Sha256 with Sign and SignAndEncrypt, which needs a key of its own at the first start. @default true */
  readonly secure?: boolean;
  /** Who may log in besides anonymous visitors. @default gateway with the password gateway */
  readonly user?: { readonly name: string; readonly password: string };
  /** @default true */
  readonly allowAnonymous?: boolean;
  /** Refuses requests for more monitored items than this. @default 10000 */
  readonly maxMonitoredItemsPerCall?: number;
  /** Namespaces registered before the plant's, which moves its index. */
  readonly namespacesBefore?: readonly string[];
}

/** The types a simulated variable may have. */
export type OpcuaTypeName =
  | 'Boolean'
  | 'SByte'
  | 'Byte'
  | 'Int16'
  | 'UInt16'
  | 'Int32'
  | 'UInt32'
  | 'Int64'
  | 'UInt64'
  | 'Float'
  | 'Double'
  | 'String'
  | 'DateTime';

/** What a variable can be set to; `[high, low]` for 64-bit integers; null leaves it without a value. */
export type OpcuaValue = number | boolean | string | Date | readonly number[] | null;

/**
 * An OPC-UA server whose variables are set from outside, on node-opcua's stack. It reports every change: a client that asks
 * for the sampling interval 0 sees each value that is set. It trusts every client certificate: it is a simulator.
 */
export class OpcuaServer {
  readonly #options: OpcuaServerOptions;
  readonly #variables = new Map<string, UAVariable>();
  readonly #types = new Map<string, OpcuaTypeName>();
  readonly #folders = new Map<string, UAObject>();
  readonly #items = new Set<MonitoredItem>();
  #server: OPCUAServer | undefined;
  #namespace: Namespace | undefined;
  #temporary: string | undefined;

  constructor(options: OpcuaServerOptions = {}) {
    this.#options = options;
  }

  /** Monitored items that clients have just now. */
  get items(): ReadonlySet<MonitoredItem> {
    return this.#items;
  }

  /** For example `opc.tcp://127.0.0.1:4840`. */
  get endpointUrl(): string {
    const { host = '127.0.0.1' } = this.#options;
    return `opc.tcp://${host}:${this.#server?.endpoints[0]?.port ?? this.#options.port ?? 0}`;
  }

  /** Starts to listen. @throws Error when the port is taken */
  async start(): Promise<void> {
    const { host = '127.0.0.1', port = 0, secure = true, allowAnonymous = true } = this.#options;
    const user = this.#options.user ?? { name: 'gateway', password: 'gateway' };
    const server = new OPCUAServer({
      host,
      port,
      hostname: host,
      allowAnonymous,
      nodeset_filename: [nodesets.standard],
      serverInfo: { applicationUri: 'urn:headgate:simulator', productUri: 'urn:headgate:simulator' },
      buildInfo: { productName: 'Headgate plant simulator' },
      // 0: a Variable whose minimumSamplingInterval is 0 reports each change; otherwise they are thinned to one each 50 ms
      serverCapabilities: {
        minSupportedSampleRate: 0,
        operationLimits: { maxMonitoredItemsPerCall: this.#options.maxMonitoredItemsPerCall ?? 10_000 },
      },
      // also without secure channels: passwords are encrypted by it on their own
      securityPolicies: [SecurityPolicy.None, SecurityPolicy.Basic256Sha256],
      securityModes: secure
        ? [MessageSecurityMode.None, MessageSecurityMode.Sign, MessageSecurityMode.SignAndEncrypt]
        : [MessageSecurityMode.None],
      serverCertificateManager: new OPCUACertificateManager({
        rootFolder: await this.#pkiFolder(),
        automaticallyAcceptUnknownCertificate: true,
        keySize: 2048,
        disableFileWatchers: true,
      }),
      userManager: {
        isValidUser: (name: string, password: string) => name === user.name && password === user.password,
      },
      onCreateMonitoredItem: async (_subscription, item) => {
        this.#items.add(item as MonitoredItem);
        return StatusCodes.Good;
      },
      onDeleteMonitoredItem: async (_subscription, item) => {
        this.#items.delete(item as MonitoredItem);
        return StatusCodes.Good;
      },
    });
    await server.initialize();
    const addressSpace = server.engine.addressSpace!;
    for (const uri of this.#options.namespacesBefore ?? []) addressSpace.registerNamespace(uri);
    this.#namespace = addressSpace.registerNamespace(NAMESPACE_URI);
    this.#server = server;
    await server.start();
  }

  /** Stops, as a server does that was told to: clients hear of it. Safe to call twice. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.shutdown(0);
    this.#items.clear();
    if (this.#temporary !== undefined) await rm(this.#temporary, { recursive: true, force: true });
    this.#temporary = undefined;
  }

  /**
   * Adds a variable. An id with dots, `press.hydraulics.pressure`, is found at Objects/Press/hydraulics/pressure. It has
   * no value, and an uncertain status, until it is set.
   */
  add(id: string, type: OpcuaTypeName = 'Double'): void {
    if (this.#variables.has(id)) return;
    const parts = id.split('.');
    const variable = this.#space().addVariable({
      browseName: parts.at(-1)!,
      nodeId: `s=${id}`,
      dataType: type,
      valueRank: -2,
      minimumSamplingInterval: 0,
      organizedBy: this.#folder(parts.slice(0, -1)),
    });
    this.#variables.set(id, variable);
    this.#types.set(id, type);
  }

  /** Takes a variable away; whoever monitors it is told BadNodeIdUnknown. */
  remove(id: string): void {
    const variable = this.#variables.get(id);
    if (variable === undefined) return;
    this.#variables.delete(id);
    this.#types.delete(id);
    this.#space().deleteNode(variable);
  }

  /**
   * Sets a variable, which is added as a Double, Boolean or String when it is new.
   *
   * @param statusCode 32 bits, as OPC 10000-4 has them; @default Good
   * @param sourceTimeMs milliseconds since 1970, fractions kept down to 100 ns; @default now
   */
  set(id: string, value: OpcuaValue, statusCode = 0, sourceTimeMs = wallMs()): void {
    if (!this.#variables.has(id)) this.add(id, typeFor(value));
    const variable = this.#variables.get(id)!;
    const type = this.#types.get(id)!;
    const [timestamp, picoseconds] = preciseTime(sourceTimeMs);
    const dataValue = new DataValue({
      value: variantOf(type, value),
      statusCode: coerceStatusCode(statusCode),
      sourceTimestamp: timestamp,
      sourcePicoseconds: picoseconds,
      serverTimestamp: new Date(wallMs()),
    });
    // not in its public types; setValueFromSource, which is, keeps only whole milliseconds
    (variable as unknown as DataValueTaker)._internal_set_dataValue(dataValue);
  }

  #space(): Namespace {
    if (this.#namespace === undefined) throw new Error('Cannot change the variables of a server that was not started');
    return this.#namespace;
  }

  #folder(path: readonly string[]): UAObject {
    const space = this.#space();
    const objects = space.addressSpace.rootFolder.objects;
    if (path.length === 0) return objects;
    const key = path.join('.');
    const known = this.#folders.get(key);
    if (known !== undefined) return known;
    const [name, parent] = [path.at(-1)!, path.slice(0, -1)];
    const folder = space.addObject({
      browseName: parent.length === 0 ? name.charAt(0).toUpperCase() + name.slice(1) : name,
      nodeId: `s=${key}`,
      organizedBy: this.#folder(parent),
      typeDefinition: 'FolderType',
    });
    this.#folders.set(key, folder);
    return folder;
  }

  async #pkiFolder(): Promise<string> {
    if (this.#options.pkiPath !== undefined) return this.#options.pkiPath;
    this.#temporary = await mkdtemp(join(tmpdir(), 'opcua-simulator-'));
    return this.#temporary;
  }
}

/** The part of a node-opcua variable that takes a DataValue as it is. */
interface DataValueTaker {
  _internal_set_dataValue(dataValue: DataValue): void;
}

function typeFor(value: OpcuaValue): OpcuaTypeName {
  if (typeof value === 'boolean') return 'Boolean';
  return typeof value === 'string' ? 'String' : value instanceof Date ? 'DateTime' : 'Double';
}

function variantOf(type: OpcuaTypeName, value: OpcuaValue): Variant {
  if (value === null) return new Variant({ dataType: DataType.Null });
  const is64 = type === 'Int64' || type === 'UInt64';
  const arrayType = Array.isArray(value) && !is64 ? VariantArrayType.Array : VariantArrayType.Scalar;
  return new Variant({ dataType: DataType[type], arrayType, value });
}

/** A Date and the picoseconds beyond its millisecond, in the 100 ns steps of OPC-UA. */
function preciseTime(timeMs: number): [Date, number] {
  const whole = Math.floor(timeMs);
  return [new Date(whole), Math.round((timeMs - whole) * 10_000) * 100_000];
}
