const DECLARATION = /^export (?:abstract |async |default )*(?:function\*?|class|interface|type|const) (\w+)/;

/** Names of exported functions, classes, interfaces, types and constants without a docstring above them. */
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

const EMPTY_WORDS = new Set(['a', 'an', 'the', 'of', 'for', 'is', 'are']);

/** Names of exported functions, classes, interfaces, types and constants whose docstring, a line, only says the name again. */
export function saidTwice(text: string): readonly string[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const name = DECLARATION.exec(line)?.[1];
    const said = /^\/\*\* (.*) \*\/$/.exec(lines[index - 1] ?? '')?.[1];
    if (name === undefined || said === undefined) return [];
    const ofName = new Set(wordsOf(name.replace(/([a-z0-9])([A-Z])/g, '$1 $2')));
    return wordsOf(said).every((word) => EMPTY_WORDS.has(word) || ofName.has(word)) ? [name] : [];
  });
}

/** In lower case, a plural like its singular. */
function wordsOf(text: string): readonly string[] {
  return [...text.toLowerCase().matchAll(/[a-z0-9]+/g)].map(([word]) => word.replace(/s$/, ''));
}
