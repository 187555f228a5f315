const DECLARATION = /^export (?:abstract |async |default )*(?:function\*?|class|interface|type) (\w+)/;

/** Names of exported functions, classes, interfaces and types without a docstring above them. */
export function undocumented(text: string): readonly string[] {
  const lines = text.split('\n');
  const isDocumented = (index: number) => /\*\/\s*$/.test(lines[index - 1] ?? '');
  return lines.flatMap((line, index) => {
    const name = DECLARATION.exec(line)?.[1];
    if (name === undefined || isDocumented(index)) return [];
    // The type of a list of words stands below it: `export const Quality = …; export type Quality = …`.
    const twin = lines.findIndex((other) => other.startsWith(`export const ${name} =`));
    return twin > 0 && isDocumented(twin) ? [] : [name];
  });
}
