import type { ReductionConfiguration } from '../../config/analysis-configuration.ts';
import type { Configuration } from '../../config/configuration.ts';
import type { TogetherConfiguration } from '../../config/detect-configuration.ts';
import { formatDuration } from '../../config/units.ts';
import { seriesPattern } from '../base/series-pattern.ts';
import { optionKey } from '../core/detector.ts';
import type { ConsumersOf, SeriesConsumers } from '../core/inspection.ts';
import type { Series } from '../core/reading.ts';

/** Says of a series who uses its readings, by a configuration. */
export function consumersOf(configuration: Configuration): ConsumersOf {
  const { reduce, derive, join, windows, rollups, detect, together } = configuration;
  return (series) => {
    const means = ({ series: pattern }: { readonly series: string }) => seriesPattern(pattern)(series);
    const names = new Set(windows.filter(means).map(({ name }) => name));
    // A rollup may stand before the one that it is made from.
    for (const _ of rollups) for (const { name, from } of rollups) if (names.has(from)) names.add(name);
    const rule = reduce.find(means);
    return {
      reduction: rule === undefined ? null : inWords(rule),
      readBy: [
        ...derive.filter(means).map(({ name }) => `derive:${name}`),
        ...join.flatMap(({ name, left, right }) => sides(series, left, right).map((side) => `join:${name} (${side})`)),
      ],
      windows: [...names],
      detectors: [
        ...detect.filter(means).map(({ detector, options }) => ({ detector, options: asWritten(options) })),
        ...together.filter((rule) => judges(rule, series)).map(jointly),
      ],
    };
  };
}

function judges({ together }: TogetherConfiguration, series: Series): boolean {
  return together.some((pattern) => seriesPattern(pattern)(series));
}

function jointly({ detector, together, options }: TogetherConfiguration): SeriesConsumers['detectors'][number] {
  return { detector, options: { together: together.join(', '), ...asWritten(options) } };
}

/** Options of a detector as the file has them. */
function asWritten(options: TogetherConfiguration['options']): Readonly<Record<string, number | string>> {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      optionKey(name),
      name.endsWith('Ms') && typeof value === 'number' ? formatDuration(value) : value,
    ]),
  );
}

function sides(series: Series, left: string, right: string): readonly string[] {
  return [...(seriesPattern(left)(series) ? ['left'] : []), ...(seriesPattern(right)(series) ? ['right'] : [])];
}

/** The rule as the file has it. */
function inWords({ series, ...limits }: ReductionConfiguration): string {
  const said = Object.entries(limits).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return name.endsWith('Ms') ? [`${name.slice(0, -2)}: ${formatDuration(value)}`] : [`${name}: ${value}`];
  });
  return `series: ${series}, ${said.join(', ')}`;
}
