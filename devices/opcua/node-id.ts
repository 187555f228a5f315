import { GatewayError } from '../../gateway/core/errors.ts';

/** A node id of the configuration, taken apart. */
export interface ParsedNodeId {
  /** Set when the namespace is named by URI. */
  readonly namespaceUri: string | undefined;
  /** Set when it is not. */
  readonly namespaceIndex: number | undefined;
  /** Kind and value, for example `s=Oil.Temperature`. */
  readonly identifier: string;
}

const NODE_ID = /^(?:nsu=([^;]*);|ns=(\d{1,5});)?(i=\d{1,10}|[sgb]=.+)$/s;

/**
 * Takes a node id apart (OPC 10000-6 §5.3.1.10 and .11).
 *
 * @throws GatewayError when it is none
 */
export function parseNodeId(text: string): ParsedNodeId {
  const match = NODE_ID.exec(text);
  if (match === null) {
    throw new GatewayError(`Cannot read the OPC-UA node id ${JSON.stringify(text)}`, {
      hint: 'Write nsu=<namespace URI>;s=<name>, for example nsu=http://acme.example/press;s=Oil.Temperature, or i=<number> in place of s=<name>.',
    });
  }
  const [, uri, index, identifier] = match;
  return {
    namespaceUri: uri === undefined ? undefined : uri.replace(/%3B/gi, ';').replace(/%25/g, '%'),
    namespaceIndex: uri === undefined ? Number(index ?? 0) : undefined,
    identifier: identifier!,
  };
}

/** The id with the namespace's present index, `ns=3;s=…`; undefined when the server has no such namespace. */
export function withIndex(id: ParsedNodeId, namespaces: readonly string[]): string | undefined {
  const index = id.namespaceIndex ?? namespaces.indexOf(id.namespaceUri ?? '');
  return index < 0 ? undefined : `ns=${index};${id.identifier}`;
}
