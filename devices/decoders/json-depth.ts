/** Deepest nesting of objects and arrays that is parsed. */
export const MAX_JSON_DEPTH = 64;

/**
 * True when brackets nest deeper than `max`, told without parsing: a document that is too deep would parse and then overflow
 * the stack of whatever walks it. Counts brackets first, which is cheap and enough for nearly every message.
 */
export function isTooDeep(json: string, max = MAX_JSON_DEPTH): boolean {
  if (json.length <= max) return false;
  return occurrences(json, '{', max) + occurrences(json, '[', max) > max && nestsDeeper(json, max);
}

/** Most members and elements, of all objects and arrays together, that are parsed; commas in texts count, too. */
export const MAX_JSON_PARTS = 50_000;

/** True when a document has more parts than `max`, told without parsing, which makes an object and a name of each. */
export function hasTooManyParts(json: string, max = MAX_JSON_PARTS): boolean {
  return json.length > max && occurrences(json, ',', max) > max;
}

function occurrences(text: string, character: string, enough: number): number {
  let count = 0;
  for (let at = text.indexOf(character); at !== -1 && count <= enough; at = text.indexOf(character, at + 1)) count++;
  return count;
}

function nestsDeeper(json: string, max: number): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (inString) {
      if (code === BACKSLASH) i++;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) inString = true;
    else if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
      if (++depth > max) return true;
    } else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) depth--;
  }
  return false;
}

const BACKSLASH = 0x5c;
const QUOTE = 0x22;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
