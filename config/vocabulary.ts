/**
 * What the file may name. The rooms do not know each other, so the front door says it; both shapes are those of the rooms.
 */
export interface Vocabulary {
  /** Names of aggregates. */
  readonly aggregateNames: readonly string[];
  /** Source of a regular expression for the aggregates with a number in their name, p0 to p100. */
  readonly percentilePattern: string;
  readonly detectors: readonly DetectorWords[];
}

/** A detector as the configuration knows it. */
export interface DetectorWords {
  readonly name: string;
  readonly description: string;
  /** True when it cannot say that an anomaly lasts: its alarms cannot be delayed. */
  readonly onsetOnly: boolean;
  readonly options: Readonly<Record<string, OptionWords>>;
  /** Throws a `GatewayError` where the options do not fit each other. */
  readonly factory: (options: Readonly<Record<string, number>>) => unknown;
}

/** An option of a detector: a number. One whose name ends in `Ms` is a duration, and stands in the file without the `Ms`. */
export interface OptionWords {
  readonly description: string;
  /** Taken where the option is left out. */
  readonly default?: number;
  readonly required?: boolean;
  /** Smallest allowed value; itself allowed unless `above` is true. */
  readonly min?: number;
  readonly above?: boolean;
  readonly max?: number;
  /** Only whole numbers. */
  readonly whole?: boolean;
}
