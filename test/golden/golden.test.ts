import { SeriesRegistry } from '../../gateway/base/series-registry.ts';
import type { Result } from '../../gateway/core/result.ts';
import type { Fate, Stage } from '../../gateway/core/stage.ts';
import type { TogetherRule } from '../../gateway/detect/together/together-rule.ts';
import { TogetherStage } from '../../gateway/detect/together/together-stage.ts';
import type { OrderedSettings } from '../../gateway/pipeline/windows/ordered-definition.ts';
import { OrderedWindowStage } from '../../gateway/pipeline/windows/ordered-window-stage.ts';
import type { RollupSettings } from '../../gateway/pipeline/windows/rollup-settings.ts';
import type { WindowSettings } from '../../gateway/pipeline/windows/window-definition.ts';
import { WindowStage } from '../../gateway/pipeline/windows/window-stage.ts';
import { throughDisk } from '../gateway/pipeline/make-reading.ts';
import { describeCases, effectOf, type Line, readingOf, timeAfter } from './cases.ts';

interface Config {
  readonly shows: string;
  readonly windows: readonly (WindowSettings & OrderedSettings)[];
  readonly rollups?: readonly RollupSettings[];
  readonly together?: readonly TogetherRule[];
  readonly time: { readonly outOfOrdernessMs: number; readonly idleTimeoutMs: number };
}

const STAGES: Readonly<Record<string, (config: Config, registry: SeriesRegistry) => Stage>> = {
  windows: ({ windows, rollups = [], time }, registry) =>
    new WindowStage({ windows, rollups, time, findSeries: (key) => registry.get(key) }),
  'ordered-windows': ({ windows, time }, registry) =>
    new OrderedWindowStage({ windows, time, findSeries: (key) => registry.get(key) }),
  together: ({ together = [] }, registry) =>
    new TogetherStage({ rules: together, findSeries: (key) => registry.get(key) }),
};

for (const [kind, make] of Object.entries(STAGES)) {
  describeCases<Config, Line>(kind, (config, input, resume) => {
    const registry = new SeriesRegistry();
    let stage = make(config, registry);
    let now = 0;
    return input.flatMap((line, index) => {
      if (resume) {
        const snapshot = throughDisk(stage.snapshot());
        stage = make(config, registry);
        stage.restore(snapshot);
      }
      const results: unknown[] = [];
      now = timeAfter(line, now);
      const fate = feed(stage, line, now, registry, (result) => results.push(shown(result)));
      return effectOf(index, fate, { results });
    });
  });
}

function feed(
  stage: Stage,
  line: Line,
  now: number,
  registry: SeriesRegistry,
  emit: (result: Result) => void,
): Fate | undefined {
  if ('step' in line) stage.step(now, line.step, emit);
  else if ('advance' in line) stage.advance(line.advance, emit);
  else return stage.process(readingOf(line, registry), emit);
  return undefined;
}

function shown(result: Result): unknown {
  if (result.kind !== 'aggregate') return result;
  const { series, window, start, end, revision, fields, good } = result;
  return { series: series.key, window, start, end, revision, fields, good };
}
