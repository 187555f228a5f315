import fc from 'fast-check';

/** Strings made of what line protocol cares about, of what it cannot hold, and of what it does not mind. */
export function hostileText(): fc.Arbitrary<string> {
  const separating = fc.constantFrom(',', '=', ' ', '"', '#', '" ', '",', ' x=1', ',y=2', '\\');
  const unfit = fc.constantFrom('\n', '\r', '\t', '\0', '\ud800', '\\,', '\\"', '\\ ');
  const harmless = fc.constantFrom('a', 'm', "'", 'é', '😀', '1', '{}', '\u2028', '__proto__', 'time', '\\n', '\\\\x');
  const part = fc.oneof(
    { weight: 12, arbitrary: separating },
    { weight: 1, arbitrary: unfit },
    { weight: 16, arbitrary: harmless },
  );
  return fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''));
}
