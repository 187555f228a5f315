/** What became of a text with `${NAME}` in it. */
export type Expanded =
  | { readonly text: string; readonly substituted: boolean }
  | { readonly problem: string; readonly hint: string };

/**
 * Puts environment variables into a text: `${NAME}`, `${NAME:-default}` where NAME is unset or empty, and `$${` for a literal `${`.
 * It is done after the YAML was read, so a value cannot change the shape of the file.
 */
export function expand(text: string, environment: Readonly<Record<string, string | undefined>>): Expanded {
  let problem: { problem: string; hint: string } | undefined;
  let substituted = false;
  const result = text.replace(/\$\$\{|\$\{([^}]*)(\}?)/g, (match, inner: string | undefined, close: string) => {
    if (match === '$${') return '${';
    const [, name, fallback] = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inner ?? '') ?? [];
    if (name === undefined || close === '') {
      problem ??= {
        problem: 'a reference to the environment that cannot be read',
        hint: `write \${NAME} or \${NAME:-default}; $\${ stands for \${ itself`,
      };
      return '';
    }
    substituted = true;
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
    if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
    if (value === undefined) {
      problem ??= { problem: `the environment has no ${name}`, hint: `set ${name}, or write \${${name}:-default}` };
    }
    return value ?? '';
  });
  return problem ?? { text: result, substituted };
}

const SHIELDS: Readonly<Record<string, string>> = { '{': '\ufdd0', '}': '\ufdd1' };
const BRACES: Readonly<Record<string, string>> = { '\ufdd0': '{', '\ufdd1': '}' };

/**
 * Lets `${NAME}` stand without quotes inside `{ … }`, where YAML would take its braces for its own: they are replaced by
 * characters that never occur in a text, one for one so that places stay the same. `unshield` puts them back.
 */
export function shield(text: string): string {
  return text.replace(
    /\$\{([A-Za-z_][A-Za-z0-9_]*(?::-[^{}\r\n]*)?)\}/g,
    (_, inner) => `$${SHIELDS['{']}${inner}${SHIELDS['}']}`,
  );
}

/** Undoes `shield`. */
export function unshield(text: string): string {
  return text.replace(/[\ufdd0\ufdd1]/g, (brace) => BRACES[brace]!);
}
