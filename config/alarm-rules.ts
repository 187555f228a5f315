import type { Report } from './report.ts';

/** The `alarms` section; a part that is missing was invalid, and has been told of. */
export interface AlarmSettings {
  readonly flood?: { readonly above?: number | undefined; readonly below?: number | undefined } | undefined;
}

/** Checks what a schema cannot say of how alarms reach people. */
export function checkAlarms({ flood }: AlarmSettings, report: Report): void {
  const { above = 0, below = 0 } = flood ?? {};
  if (above === 0 || below <= above) return;
  report(
    'alarms.flood.below',
    `a flood begins with more than ${above} alarms and is over with fewer than ${below}: it would never be over, or begin at once`,
    `at most ${above}`,
  );
}
