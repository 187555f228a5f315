/** What neither a text of MQTT nor a header of HTTP may hold: control characters, and code points that are no characters. */
const ILLEGAL = /[\p{Cc}\p{Noncharacter_Code_Point}]/gu;

/** A text with what matches `pattern`, a global one, as `%` and the hexadecimal digits of its UTF-8. */
export function percentEncode(text: string, pattern = ILLEGAL): string {
  return text.replace(pattern, (found) => Buffer.from(found).toString('hex').toUpperCase().replace(/../g, '%$&'));
}
