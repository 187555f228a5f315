import type { Detector, DetectorOption } from '../../core/detector.ts';

/** Options of a detector by name; what each detector takes is in its kind. */
export type DetectorOptions = Readonly<Record<string, number | string>>;

/** Those of them that are numbers. */
export type NumberOptions = Readonly<Record<string, number>>;

/** Those of them that are texts. */
export type TextOptions = Readonly<Record<string, string>>;

/** A kind of detector that a rule can name. */
export interface DetectorKind {
  readonly name: string;
  readonly description: string;
  /** True when an anomaly is only told at its onset: such a detector cannot say that an anomaly lasts. */
  readonly onsetOnly: boolean;
  readonly options: Readonly<Record<string, DetectorOption>>;
  /** Makes detectors of checked options, all with one shared set of settings; throws a `GatewayError` where they do not fit each other. */
  readonly factory: (numbers: NumberOptions, texts: TextOptions) => () => Detector;
}
