/** What is known of a derivation or a join before it has seen a series. */
export interface DerivedDefinition {
  /** As in the ledger: `derive:fahrenheit`. */
  readonly source: string;
  /** Patterns of the series it reads. */
  readonly reads: readonly string[];
  /** Pattern of the series whose device and site the derived series has. */
  readonly placedLike: string;
  readonly metric: string;
}

/**
 * The first cycle among derived series, as sources that each read what the one before derives, the first one once more at the end; undefined
 * where there is none. By the patterns alone: what could be a cycle with some series is one.
 */
export function findCycle(definitions: readonly DerivedDefinition[]): readonly string[] | undefined {
  const done = new Set<DerivedDefinition>();
  const path: DerivedDefinition[] = [];
  const visit = (definition: DerivedDefinition): readonly string[] | undefined => {
    if (done.has(definition)) return undefined;
    const begins = path.indexOf(definition);
    if (begins >= 0) return [...path.slice(begins), definition].map(({ source }) => source);
    path.push(definition);
    for (const reader of definitions.filter((one) => mayRead(one, definition))) {
      const cycle = visit(reader);
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    done.add(definition);
    return undefined;
  };
  for (const definition of definitions) {
    const cycle = visit(definition);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

/** The definitions, each after all whose series it may read, and else in the order they have. Of a cycle one comes before what it reads. */
export function byDependency<T extends DerivedDefinition>(definitions: readonly T[]): readonly T[] {
  const placed = new Set<T>();
  const ordered: T[] = [];
  const place = (definition: T): void => {
    if (placed.has(definition)) return;
    placed.add(definition);
    for (const one of definitions) if (mayRead(definition, one)) place(one);
    ordered.push(definition);
  };
  definitions.forEach(place);
  return ordered;
}

function mayRead(reader: DerivedDefinition, { metric, placedLike }: DerivedDefinition): boolean {
  const [placedSite, placedDevice] = partsOf(placedLike);
  return reader.reads.some((pattern) => {
    const [site, device, read] = partsOf(pattern);
    return mayBeEqual(read, metric) && mayBeEqual(device, placedDevice) && mayBeEqual(site, placedSite);
  });
}

/** Site, device and metric of a pattern: see `seriesPattern`. */
function partsOf(pattern: string): readonly [site: string, device: string, metric: string] {
  const parts = pattern.split('/');
  return [parts.at(-3) ?? '*', parts.at(-2) ?? '*', parts.at(-1)!];
}

/** Whether some text fits both patterns, in which `*` stands for any characters. In steps of the product of their lengths. */
function mayBeEqual(one: string, other: string): boolean {
  let below: boolean[] = [];
  for (let i = one.length; i >= 0; i--) {
    const row: boolean[] = [];
    for (let j = other.length; j >= 0; j--) {
      const mayEnd = i === one.length && j === other.length;
      const byStarOfOne = one[i] === '*' && (below[j] === true || row[j + 1] === true);
      const byStarOfOther = other[j] === '*' && (row[j + 1] === true || below[j] === true);
      row[j] =
        mayEnd || byStarOfOne || byStarOfOther || (i < one.length && one[i] === other[j] && below[j + 1] === true);
    }
    below = row;
  }
  return below[0] === true;
}
