/** Finds a part of parsed JSON; undefined where it is not there. */
export type JsonPath = (root: unknown) => unknown;

/** The names in a dotted path: `a.b.0` is three; `''` and `.` are the root and have none. */
export function pathSegments(path: string): readonly string[] {
  return path === '' || path === '.' ? [] : path.split('.');
}

/** Makes a dotted path into a function, once, so that a message costs only the look-ups. A number names a place in an array. */
export function compilePath(path: string): JsonPath {
  const steps = pathSegments(path).map(compileStep);
  const [first, second] = steps;
  if (first === undefined) return (root) => root;
  if (second === undefined) return first;
  return (root) => {
    let at = root;
    for (const step of steps) at = step(at);
    return at;
  };
}

function compileStep(name: string): JsonPath {
  // Names that every object inherits (`constructor`, `__proto__`) count only where the message itself has them.
  if (name in Object.prototype) {
    return (at) => (isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined);
  }
  return (at) => (isObject(at) ? at[name] : undefined);
}

/** True for a JSON object or array. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
