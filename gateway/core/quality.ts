/** How far a reading can be trusted: the severity of its OPC-UA status code (OPC 10000-4 §7.39). */
export const Quality = { good: 0, uncertain: 1, bad: 2 } as const;
export type Quality = (typeof Quality)[keyof typeof Quality];

/** The word for a quality, as people and files say it. */
export type QualityName = keyof typeof Quality;

const NAMES: readonly QualityName[] = ['good', 'uncertain', 'bad'];

/** `good`, `uncertain` or `bad`. */
export function qualityName(quality: Quality): QualityName {
  return NAMES[quality] ?? 'bad';
}

/** The severity held in the two highest bits of a 32-bit OPC-UA status code; the reserved value 3 counts as bad. */
export function qualityOfStatusCode(statusCode: number): Quality {
  const severity = statusCode >>> 30;
  return severity === 0 ? Quality.good : severity === 1 ? Quality.uncertain : Quality.bad;
}
