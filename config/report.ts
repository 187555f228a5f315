import { GatewayError } from '../gateway/core/errors.ts';

/** Where a rule tells what it found; `offset` is where in a text, in UTF-16 code units. */
export type Report = (path: string, message: string, hint?: string, offset?: number) => void;

/** What is left of a value when its invalid parts are taken out. */
export type Partly<T> = T extends readonly (infer Item)[]
  ? readonly (Partly<Item> | undefined)[]
  : T extends object
    ? { readonly [K in keyof T]?: Partly<T[K]> | undefined }
    : T;

/** Reports each item of a list that stands in it before; `say` is the message. */
export function unique(
  path: string,
  items: readonly (string | undefined)[],
  say: (item: string) => string,
  report: Report,
): void {
  items.forEach((item, index) => {
    if (item !== undefined && items.indexOf(item) !== index) report(`${path}[${index}]`, say(item), 'leave one out');
  });
}

/** Tells what a check of the rooms does not allow. */
export function reportError(path: string, report: Report, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    report(path, error.message, error.hint);
  }
}
