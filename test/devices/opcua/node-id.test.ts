import { expect, test } from 'vitest';
import { parseNodeId, withIndex } from '../../../devices/opcua/node-id.ts';

const NAMESPACES = ['http://opcfoundation.org/UA/', 'urn:server', 'urn:a;b%c'];

test.each([
  ['nsu=urn:server;s=Oil.Temperature', 'ns=1;s=Oil.Temperature'],
  ['nsu=urn:a%3Bb%25c;i=7', 'ns=2;i=7'],
  ['ns=9;g=72962B91-FA75-4AE6-8D28-B404DC7DAF63', 'ns=9;g=72962B91-FA75-4AE6-8D28-B404DC7DAF63'],
  ['i=2258', 'ns=0;i=2258'],
  ['s=with;semicolon=1', 'ns=0;s=with;semicolon=1'],
])('%s is %s', (text, expected) => {
  expect(withIndex(parseNodeId(text), NAMESPACES)).toBe(expected);
});

test('a namespace that the server does not have gives nothing', () => {
  expect(withIndex(parseNodeId('nsu=urn:other;s=x'), NAMESPACES)).toBeUndefined();
});

test.each(['', 'Oil', 'ns=x;s=a', 'nsu=urn:a;', 'i=abc', 's='])('%j is refused with an example', (text) => {
  expect(() => parseNodeId(text)).toThrow(`Cannot read the OPC-UA node id ${JSON.stringify(text)}`);
});
