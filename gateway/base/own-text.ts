/**
 * An equal text that keeps no other alive; lone surrogates become U+FFFD. A slice of a long text, as a name in a large payload, is in V8
 * a reference to the whole of it: kept for long, it would keep the payload.
 */
export function ownText(text: string): string {
  return Buffer.from(text).toString();
}
