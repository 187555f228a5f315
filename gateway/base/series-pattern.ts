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

function globToRegExp(glob: string): RegExp {
  const source = glob
    .split('*')
    .map((literal) => literal.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
    .join('[^]*');
  return new RegExp(`^${source}$`, 'u');
}
