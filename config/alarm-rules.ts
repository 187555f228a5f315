import { type Partly, type Report, reportError } from './report.ts';
import { maintenanceOf } from './resolve.ts';
import type { CheckedFile } from './schema.ts';
import type { Vocabulary } from './vocabulary.ts';

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

type Plan = CheckedFile['maintenance'][number];

/** Checks what is planned; a plan of which a part is missing was invalid, and has been told of. */
export function checkMaintenance(
  plans: readonly (Partly<Plan> | undefined)[],
  vocabulary: Vocabulary,
  report: Report,
): void {
  plans.forEach((plan, index) => {
    if (plan === undefined || !isWhole(plan)) return;
    reportError(`maintenance[${index}]`, report, () => vocabulary.checkMaintenance(maintenanceOf(plan)));
  });
}

function isWhole(plan: Partly<Plan>): plan is Plan {
  const keys = 'from' in plan || 'to' in plan ? ['series', 'from', 'to'] : ['series', 'on', 'at', 'for', 'timeZone'];
  return keys.every((key) => (plan as Readonly<Record<string, unknown>>)[key] !== undefined);
}
