/** A shorter part of an address or a header is no secret, and stands in many a text. */
const SHORTEST = 6;
const HIDDEN = '********';

/**
 * Servers repeat what they were asked: `Cannot POST /hooks/…`. Answers with a function that takes out of such a text what follows the host in an
 * address, and the values of headers, as a whole and in their parts.
 */
export function secretsHidden(url: URL, headers: Readonly<Record<string, string>>): (text: string) => string {
  const { pathname, search, searchParams } = url;
  const parts = [...pathname.split('/'), ...searchParams.values(), ...Object.values(headers).flatMap(wordsOf)];
  const secrets = [pathname + search, pathname, ...parts]
    .flatMap((secret) => [secret, decoded(secret)])
    .filter((secret) => secret.length >= SHORTEST)
    // What holds another one goes before it.
    .sort((a, b) => b.length - a.length);
  return (text) => secrets.reduce((shown, secret) => shown.replaceAll(secret, HIDDEN), text);
}

/** What follows `Bearer` may be repeated alone. */
function wordsOf(value: string): readonly string[] {
  return [value, ...value.split(' ').slice(1)];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // It is no part of an address, or was never encoded.
    return text;
  }
}
