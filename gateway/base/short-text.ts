import { hash as digest } from 'node:crypto';

/**
 * A text that stands for another one: equal where that is equal, and never long. Of more than 12 characters it is the SHA-256, which bounds the
 * memory of whoever keeps it: a longer one may also be a slice that keeps the whole message it was cut from alive. No
 * short text has the 44 characters of such a digest.
 */
export function shortText(text: string): string {
  return text.length > 12 ? digest('sha256', text, 'base64') : text;
}
