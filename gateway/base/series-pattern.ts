import type { Series } from '../core/reading.ts';

/** Says whether a series is meant. */
export type SeriesPattern = (series: Pick<Series, 'device' | 'metric' | 'tags'>) => boolean;

/**
 * Reads a series pattern of the configuration: `*` is every series, `device/metric` and `site/device/metric` name parts, and within
 * a part `*` stands for any characters. A pattern without `/` that is not `*` names a metric on any device.
 */
export function seriesPattern(pattern: string): SeriesPattern {
  if (pattern === '*') return () => true;
  const parts = pattern.split('/').map(globToRegExp);
  const metric = parts.at(-1)!;
  const device = parts.at(-2);
  const site = parts.at(-3);
  return (series) =>
    metric.test(series.metric) &&
    (device === undefined || device.test(series.device)) &&
    (site === undefined || site.test(series.tags['site'] ?? ''));
}

/** What a series pattern may be, for a person. */
export const SERIES_PATTERN_HELP =
  '*, metric, device/metric or site/device/metric; * inside a part stands for any characters';

/** What is wrong with a text as a series pattern; undefined where it is one. */
export function seriesPatternFault(text: string): string | undefined {
  const parts = text.split('/');
  if (parts.length > 3) return 'a series has at most three parts';
  if (parts.includes('')) return 'a series has no empty parts';
  return /[?[\]{}]/.test(text) ? 'a series pattern knows only *' : undefined;
}

function globToRegExp(glob: string): RegExp {
  const source = glob
    .split('*')
    .map((literal) => literal.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
    .join('[^]*');
  return new RegExp(`^${source}$`, 'u');
}
