import { AlarmDesk, type AlarmDeskOptions } from '../gateway/detect/alarms/alarm-desk.ts';

/** A desk with the defaults of a configuration; floods are off unless a test wants some. */
export function openDesk(options: Partial<AlarmDeskOptions> = {}): AlarmDesk {
  return new AlarmDesk({
    gateway: 'box',
    flood: { above: 0, below: 1, withinMs: 600_000 },
    groupWithinMs: 60_000,
    activeAlarms: () => [],
    dismiss: () => undefined,
    isOutOfService: () => false,
    maxActive: (maxSeries) => maxSeries,
    ...options,
  });
}
