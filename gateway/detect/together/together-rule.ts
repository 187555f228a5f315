import { type SeriesPattern, seriesPattern } from '../../base/series-pattern.ts';
import { GatewayError } from '../../core/errors.ts';
import { deviceKey, type Series } from '../../core/reading.ts';
import type { DetectorOptions } from '../detectors/detector-kind.ts';
import { type AlarmRule, numbered, type ReadyRule, readyAlarm } from '../rule.ts';
import { type JointDetector, MAX_CHANNELS } from './joint-detector.ts';
import { jointDetectorFactory } from './joint-detectors.ts';

/** One entry of `detect:` in the configuration that judges several series together. */
export interface TogetherRule {
  /** Series patterns, see `seriesPattern`. */
  readonly together: readonly string[];
  /** What is equal in the series that are judged together: `device` (with its site), or names of tags; none: all that match are. */
  readonly on: readonly string[];
  /** How much older than the newest a value may be, in milliseconds of event time, at least 0. */
  readonly maxAgeMs: number;
  /** One of `jointDetectorNames`. */
  readonly detector: string;
  /** What the detector takes, see its kind. */
  readonly options?: DetectorOptions | undefined;
  /** Without it anomalies are marked but no alarm is raised. */
  readonly alarm?: AlarmRule | undefined;
}

/** Such a rule, checked and ready to judge groups of series. */
export interface ReadyTogether extends Omit<ReadyRule, 'createDetector'> {
  readonly createDetector: () => JointDetector;
  readonly maxAgeMs: number;
  /** What all series of a group have in common; undefined where a series has not what `on` names. */
  readonly groupOf: (series: Series) => string | undefined;
}

/**
 * Checks what the parts of a rule have to do with each other: that it can judge more than one series, and not more than can be judged together.
 *
 * @throws GatewayError for what is not allowed
 */
export function checkTogether({ together, on }: Pick<TogetherRule, 'together' | 'on'>): void {
  const twice = together.find((pattern, index) => together.indexOf(pattern) !== index);
  if (twice !== undefined) throw new GatewayError(`${twice} is there twice`, { hint: 'leave one out' });
  const twiceOn = on.find((name, index) => on.indexOf(name) !== index);
  if (twiceOn !== undefined) throw new GatewayError(`on names ${twiceOn} twice`, { hint: 'leave one out' });
  if (together.length > MAX_CHANNELS) {
    throw new GatewayError(`there are ${together.length} series`, {
      hint: `at most ${MAX_CHANNELS} are judged together`,
    });
  }
  if (together.some((pattern) => pattern.includes('*') || !pattern.includes('/'))) {
    if (on.includes('device')) refuseOneMetric(together);
    return;
  }
  if (together.length < 2) {
    throw new GatewayError(`${together.join()} is one series`, { hint: 'name the series it is judged together with' });
  }
  const devices = new Set(together.map((pattern) => pattern.slice(0, pattern.lastIndexOf('/'))));
  if (on.includes('device') && devices.size === together.length) {
    throw new GatewayError(`on is device, and each of ${together.join(', ')} is of another one`, {
      hint: 'leave on out to judge them together',
    });
  }
}

/** A device has one series of a metric: alone it would be learning for ever. */
function refuseOneMetric(together: readonly string[]): void {
  const [metric = '', ...others] = new Set(together.map((pattern) => pattern.slice(pattern.lastIndexOf('/') + 1)));
  if (others.length > 0 || metric.includes('*')) return;
  throw new GatewayError(`${together.join(', ')} is one series of each device`, {
    hint: 'name the series of the device it is judged together with, or give a tag that all have for on, to judge devices together',
  });
}

/** Checks the rules; throws a `GatewayError` that says which rule is wrong. */
export function readyTogether(rules: readonly TogetherRule[]): readonly ReadyTogether[] {
  const names = new Map<string, number>();
  const keys = new Map<string, number>();
  return rules.map((rule) => {
    const { together, on, maxAgeMs, detector } = rule;
    try {
      checkTogether(rule);
      const createDetector = jointDetectorFactory(detector, rule.options);
      const options = Object.entries(rule.options ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
      return {
        ...readyAlarm(rule.alarm, { detector, onsetOnly: false }),
        matches: anyOf(together.map(seriesPattern)),
        detector,
        createDetector,
        maxAgeMs: checkedAge(maxAgeMs),
        groupOf: (series) => groupOf(series, on, together),
        name: numbered(names, detector),
        key: numbered(keys, JSON.stringify([together, on, maxAgeMs, detector, options])),
      };
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      const message = `Cannot use the detect rule for ${together.join(', ')} together: ${error.message}`;
      throw new GatewayError(message, { ...(error.hint === undefined ? {} : { hint: error.hint }), cause: error });
    }
  });
}

function anyOf(patterns: readonly SeriesPattern[]): SeriesPattern {
  return (series) => patterns.some((matches) => matches(series));
}

function checkedAge(maxAgeMs: number): number {
  if (maxAgeMs >= 0 && Number.isFinite(maxAgeMs)) return maxAgeMs;
  throw new GatewayError(`its maxAgeMs is ${maxAgeMs}`, {
    hint: 'it must be a finite number of milliseconds, at least 0',
  });
}

/** Where nothing has to be equal the group is called by its patterns: its alarms are known by that. */
function groupOf(series: Series, on: readonly string[], together: readonly string[]): string | undefined {
  if (on.length === 0) return together.join('+');
  const parts = on.map((name) => (name === 'device' ? deviceKey(series) : series.tags[name]));
  return parts.includes(undefined) ? undefined : parts.join('+');
}
