/** A node that is read, by its id. */
export interface OpcuaNode {
  /**
   * `nsu=<namespace URI>;s=<name>`, or with `ns=<index>` in place of the URI, which is less safe because a server may renumber its
   * namespaces; `i=`, `g=` and `b=` for the other kinds of id.
   */
  readonly id: string;
  readonly device: string;
  readonly metric: string;
  readonly unit?: string | undefined;
  /** The server reports a number only when it differs from the last one reported by more than this. @default every change */
  readonly deadband?: number | undefined;
  /** How often the server looks, in milliseconds; 0 is as fast as it can, or at every change. @default the source's */
  readonly samplingMs?: number | undefined;
  /** How many values the server keeps while they cannot be sent. @default the source's */
  readonly queueSize?: number | undefined;
}

/**
 * Every variable found along a path of browse names below the root: `Objects/Press/*` is one level, `Objects/Press/**` any number of them.
 * The metric is the path from the first wildcard on, joined with dots.
 */
export interface OpcuaBrowseRule {
  readonly browse: string;
  readonly device: string;
  readonly deadband?: number | undefined;
  readonly samplingMs?: number | undefined;
  readonly queueSize?: number | undefined;
}

/** How the connection is protected. */
export interface OpcuaSecurity {
  /** @default None */
  readonly policy?: OpcuaPolicy | undefined;
  /** @default SignAndEncrypt with a policy, else None */
  readonly mode?: 'None' | 'Sign' | 'SignAndEncrypt' | undefined;
  /** Logs in with a name and a password; anonymous without. */
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}

/** Names of the security policies that are offered; the broken ones (Basic128Rsa15, Basic256) are not. */
export const OPCUA_POLICIES = ['None', 'Basic256Sha256', 'Aes128_Sha256_RsaOaep', 'Aes256_Sha256_RsaPss'] as const;
/** One of `OPCUA_POLICIES`. */
export type OpcuaPolicy = (typeof OPCUA_POLICIES)[number];

/** What makes a server report a value: see OPC 10000-4 §7.22.2. */
export const OPCUA_TRIGGERS = ['Status', 'StatusValue', 'StatusValueTimestamp'] as const;
/** One of `OPCUA_TRIGGERS`. */
export type OpcuaTrigger = (typeof OPCUA_TRIGGERS)[number];

/** What an OPC-UA source may be told. */
export interface OpcuaOptions {
  /** Name of the source. */
  readonly name: string;
  /** For example `opc.tcp://press.local:4840`. */
  readonly endpoint: string;
  readonly security?: OpcuaSecurity | undefined;
  readonly nodes: readonly (OpcuaNode | OpcuaBrowseRule)[];
  /** How often the server sends what has gathered, in milliseconds, from 10. @default 500 */
  readonly publishingIntervalMs?: number | undefined;
  /** @default 0 */
  readonly samplingMs?: number | undefined;
  /** At least the outage to survive, divided by the time between two values. @default 1000 */
  readonly queueSize?: number | undefined;
  /** @default StatusValueTimestamp: a value that is measured again counts, even if it is equal */
  readonly trigger?: OpcuaTrigger | undefined;
  /** How long the server shall keep session and subscription while the connection is gone, in milliseconds. @default 300000 */
  readonly outageMs?: number | undefined;
  /** How often nodes that are not there are looked for, in milliseconds, from 100. @default 3000 */
  readonly retryMs?: number | undefined;
  /** Folder of the gateway's own key, certificate and trust list; made when missing. */
  readonly pkiPath: string;
}

/** Options with every default in its place. */
export type ResolvedOptions = OpcuaOptions & {
  readonly publishingIntervalMs: number;
  readonly samplingMs: number;
  readonly queueSize: number;
  readonly trigger: OpcuaTrigger;
  readonly outageMs: number;
  readonly retryMs: number;
};

/** Fills the defaults in. */
export function resolveOptions(options: OpcuaOptions): ResolvedOptions {
  return {
    ...options,
    publishingIntervalMs: options.publishingIntervalMs ?? 500,
    samplingMs: options.samplingMs ?? 0,
    queueSize: options.queueSize ?? 1000,
    trigger: options.trigger ?? 'StatusValueTimestamp',
    outageMs: options.outageMs ?? 300_000,
    retryMs: options.retryMs ?? 3_000,
  };
}
