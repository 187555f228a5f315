import { type SeriesPattern, seriesPattern } from '../base/series-pattern.ts';
import type { Detector } from '../core/detector.ts';
import { GatewayError } from '../core/errors.ts';
import { PRIORITIES, type Severity } from '../core/result.ts';
import type { AlarmPolicy } from './alarms/alarm.ts';
import type { DetectorOptions } from './detectors/detector-kind.ts';
import { detectorFactory, detectorKind } from './detectors/detectors.ts';

/** One entry of `detect:` in the configuration. */
export interface DetectRule {
  /** A series pattern, see `seriesPattern`. */
  readonly series: string;
  /** One of `detectorNames`. */
  readonly detector: string;
  /** What the detector takes, see its kind in `detectorKinds`. */
  readonly options?: DetectorOptions | undefined;
  /** Without it anomalies are marked but no alarm is raised. */
  readonly alarm?: AlarmRule | undefined;
}

/** How the anomalies of a rule become alarms. */
export interface AlarmRule {
  readonly severity: Severity;
  /** 1 to 1000, the most urgent last. @default that of the severity, see `PRIORITIES` */
  readonly priority?: number | undefined;
  /** See `AlarmPolicy`. Above 0 or 0. @default 30000 */
  readonly holdMs?: number | undefined;
  /** See `AlarmPolicy`; not for detectors that only tell onsets. @default 0 */
  readonly onDelayMs?: number | undefined;
  /** See `AlarmPolicy`. @default 0 */
  readonly hysteresis?: number | undefined;
}

/** A rule, checked and ready to judge series. */
export interface ReadyRule {
  readonly matches: SeriesPattern;
  readonly detector: string;
  readonly createDetector: () => Detector;
  readonly severity: Severity;
  readonly priority: number;
  /** Undefined where the rule raises no alarms. */
  readonly alarmPolicy: AlarmPolicy | undefined;
  /** The detector's name, with `#2`, `#3` … for further rules with that detector, in order of the configuration. */
  readonly name: string;
  /** Recognises the rule in a snapshot: the same pattern, detector and options, whatever its alarm is now. */
  readonly key: string;
}

/** Checks the rules; throws a `GatewayError` that says which rule is wrong. */
export function readyRules(rules: readonly DetectRule[]): readonly ReadyRule[] {
  const names = new Map<string, number>();
  const keys = new Map<string, number>();
  return rules.map((rule, index) => {
    try {
      const createDetector = detectorFactory(rule.detector, rule.options);
      const options = Object.entries(rule.options ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
      return {
        matches: seriesPattern(rule.series),
        detector: rule.detector,
        createDetector,
        ...readyAlarm(rule.alarm, { detector: rule.detector, onsetOnly: detectorKind(rule.detector).onsetOnly }),
        name: numbered(names, rule.detector),
        key: numbered(keys, JSON.stringify([rule.series, rule.detector, options])),
      };
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      const message = `Cannot use detect rule ${index + 1} (series ${JSON.stringify(rule.series)}): ${error.message}`;
      throw new GatewayError(message, { ...(error.hint === undefined ? {} : { hint: error.hint }), cause: error });
    }
  });
}

/** Checks how a rule raises alarms; throws a `GatewayError` that says what is wrong. Undefined: it raises none. */
export function readyAlarm(
  alarm: AlarmRule | undefined,
  of: { readonly detector: string; readonly onsetOnly: boolean },
): Pick<ReadyRule, 'severity' | 'priority' | 'alarmPolicy'> {
  const severity = alarm?.severity ?? 'warning';
  const priority = alarm?.priority ?? PRIORITIES[severity];
  if (!(Number.isInteger(priority) && priority >= 1 && priority <= 1000)) {
    throw new GatewayError(`its alarm's priority is ${priority}`, { hint: 'it must be a whole number from 1 to 1000' });
  }
  return {
    severity,
    priority,
    alarmPolicy: alarm === undefined ? undefined : alarmPolicy(alarm, of),
  };
}

function alarmPolicy(
  alarm: AlarmRule,
  { detector, onsetOnly }: { readonly detector: string; readonly onsetOnly: boolean },
): AlarmPolicy {
  const { holdMs = 30_000, onDelayMs = 0, hysteresis = 0 } = alarm;
  for (const [name, ms] of Object.entries({ holdMs, onDelayMs })) {
    if (ms >= 0 && Number.isFinite(ms)) continue;
    throw new GatewayError(`its alarm's ${name} is ${ms}`, {
      hint: 'it must be a finite number of milliseconds, at least 0',
    });
  }
  if (!(hysteresis >= 0 && hysteresis <= 1)) {
    throw new GatewayError(`its alarm's hysteresis is ${hysteresis}`, { hint: 'it must be between 0 and 1' });
  }
  if (onDelayMs > 0 && onsetOnly) {
    throw new GatewayError(
      `its alarm has an onDelayMs of ${onDelayMs}, but ${detector} tells only the onset of an anomaly`,
      {
        hint: 'leave out the delay, or use a detector that tells how long an anomaly lasts',
      },
    );
  }
  return { holdMs, onDelayMs, hysteresis };
}

/** The name itself when it is new, with its number from the second time on: `novelty`, `novelty#2`. */
export function numbered(seen: Map<string, number>, name: string): string {
  const count = (seen.get(name) ?? 0) + 1;
  seen.set(name, count);
  return count === 1 ? name : `${name}#${count}`;
}
